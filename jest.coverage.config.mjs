import base from './jest.config.mjs';

/**
 * `npm run coverage`: every branch of guards, sessions and their renewal is executed by a test. Compiles whole programs,
 * because alone each file gets branches for the types of decorated parameters that no test can take.
 */
export default {
  ...base,
  testMatch: [
    '<rootDir>/packages/nestjs-auth/test/{auth-module,session,session-codec}.spec.ts',
    '<rootDir>/test/{refresh,claims}.spec.ts',
    '<rootDir>/test/zitadel/token-refresher.spec.ts',
  ],
  transform: {
    '^.+\\.ts$': [
      'ts-jest',
      {
        useESM: true,
        tsconfig: '<rootDir>/tsconfig.coverage.json',
        diagnostics: { exclude: ['**'], ignoreCodes: [151002] },
      },
    ],
  },
  collectCoverage: true,
  collectCoverageFrom: [
    'packages/nestjs-auth/src/*.guard.ts',
    'packages/nestjs-auth/src/session/**/*.ts',
    'src/zitadel/token-refresher.ts',
    'src/zitadel/session-token.ts',
  ],
  coverageReporters: ['text'],
  coverageThreshold: { global: { branches: 100, functions: 100, lines: 100, statements: 100 } },
};
