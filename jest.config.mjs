/** Native ES modules: run through `npm test`, which passes Node the flag it needs. */
export default {
  testMatch: ['<rootDir>/test/**/*.spec.ts', '<rootDir>/packages/*/test/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        useESM: true,
        tsconfig: '<rootDir>/tsconfig.test.json',
        diagnostics: { exclude: ['**'], ignoreCodes: [151002] },
      },
    ],
  },
  moduleNameMapper: {
    '^@mridang/nestjs-auth$': '<rootDir>/packages/nestjs-auth/src/index.ts',
    '^zitadel-sandbox$': '<rootDir>/packages/zitadel-sandbox/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/build', '<rootDir>/dist', '<rootDir>/packages/[^/]+/dist'],
  testEnvironment: 'node',
  maxWorkers: 2,
  workerIdleMemoryLimit: '512MB',
  testTimeout: 20_000,
};
