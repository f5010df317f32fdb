import { availableParallelism } from 'node:os';
import { bundledPackages } from './scripts/bundled-packages.mjs';

/** Native ES modules: run the tests with `npm test`, which passes the flag that Node.js needs. */
const isCovered = process.argv.includes('--coverage');

const tsJest = (tsconfig) => [
  'ts-jest',
  {
    useESM: true,
    tsconfig: `<rootDir>/${tsconfig}`,
    diagnostics: { exclude: ['**'], ignoreCodes: [151002] },
  },
];

export default {
  testMatch: isCovered
    ? [
        '<rootDir>/packages/nestjs-auth/test/{application,auth-module,contexts,credentials,oidc-refresh,session,session-codec,sign-in}.spec.ts',
        '<rootDir>/test/{refresh,claims-reload,revocation,session-cookie,sign-in,sign-out}.spec.ts',
        '<rootDir>/test/hostile/{refresh,patience}.spec.ts',
        '<rootDir>/packages/nestjs-zitadel/test/{token-refresher,claims}.spec.ts',
      ]
    : ['<rootDir>/test/**/*.spec.ts', '<rootDir>/packages/*/test/**/*.spec.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  // Coverage compiles with the types of whole programs: alone, each file would get branches for the types of decorated parameters
  // that no test can take. (ts-jest uses one tsconfig per run.)
  transform: { '^.+\\.ts$': tsJest(isCovered ? 'tsconfig.coverage.json' : 'tsconfig.test.json') },
  moduleNameMapper: {
    '^@mridang/nestjs-auth/testing$': '<rootDir>/packages/nestjs-auth/src/testing/index.ts',
    '^@mridang/nestjs-auth$': '<rootDir>/packages/nestjs-auth/src/index.ts',
    '^@mridang/nestjs-program$': '<rootDir>/packages/nestjs-program/src/index.ts',
    '^@mridang/nestjs-zitadel$': '<rootDir>/packages/nestjs-zitadel/src/index.ts',
    '^zitadel-setup$': '<rootDir>/packages/zitadel-setup/src/index.ts',
    '^zitadel-sandbox$': '<rootDir>/packages/zitadel-sandbox/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
    ...Object.fromEntries(
      bundledPackages.map((name) => [
        `^${name}$`,
        `<rootDir>/node_modules/.cache/tests/packages/${name}.mjs`,
      ]),
    ),
  },
  modulePathIgnorePatterns: ['<rootDir>/build', '<rootDir>/dist', '<rootDir>/packages/[^/]+/dist'],
  testEnvironment: 'node',
  globalSetup: '<rootDir>/scripts/test-setup.mjs',
  testSequencer: '<rootDir>/scripts/slow-suites-first.mjs',
  reporters: ['default', '<rootDir>/scripts/slowest-suites.mjs'],
  // One more than cores, because many suites wait for other programs.
  maxWorkers: availableParallelism() + 1,
  // Compilation with the types of whole programs takes more memory than that.
  ...(!isCovered && { workerIdleMemoryLimit: '512MB' }),
  testTimeout: 20_000,
  collectCoverageFrom: [
    'packages/nestjs-auth/src/*.guard.ts',
    'packages/nestjs-auth/src/refresh/*.ts',
    'packages/nestjs-auth/src/session/**/*.ts',
    'packages/nestjs-zitadel/src/session/token-refresher.ts',
    'packages/nestjs-zitadel/src/session/session-token.ts',
  ],
  coverageReporters: ['text'],
  coverageThreshold: { global: { branches: 100, functions: 100, lines: 100, statements: 100 } },
};
