import { availableParallelism } from 'node:os';
import process from 'node:process';

/**
 * Coverage is measured by Jest's own runtime, with the types of whole programs: compiled alone, each file would get branches for the
 * types of decorated parameters that no test can take.
 */
const covered = {
  testMatch: [
    '<rootDir>/packages/nestjs-auth/test/{application,auth-module,contexts,credentials,oidc-refresh,session,session-codec,sign-in.isolated}.spec.ts',
    '<rootDir>/test/{refresh,claims-reload,revocation,session-cookie,sign-in,sign-out}.spec.ts',
    '<rootDir>/test/hostile/{refresh,patience}.spec.ts',
    '<rootDir>/packages/nestjs-zitadel/test/{token-refresher,claims}.spec.ts',
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
  moduleNameMapper: {
    '^@mridang/nestjs-auth/testing$': '<rootDir>/packages/nestjs-auth/src/testing/index.ts',
    '^@mridang/(nestjs-auth|nestjs-program|nestjs-zitadel)$': '<rootDir>/packages/$1/src/index.ts',
    '^(zitadel-setup|zitadel-sandbox)$': '<rootDir>/packages/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testEnvironment: 'node',
};

/** See `scripts/jest/runtime.mjs`. */
const native = {
  testMatch: ['<rootDir>/test/**/*.spec.ts', '<rootDir>/packages/*/test/**/*.spec.ts'],
  runtime: '<rootDir>/scripts/jest/runtime.mjs',
  testEnvironment: '<rootDir>/scripts/jest/environment.mjs',
  workerIdleMemoryLimit: '512MB',
};

export default {
  ...(process.argv.includes('--coverage') ? covered : native),
  extensionsToTreatAsEsm: ['.ts'],
  modulePathIgnorePatterns: ['<rootDir>/build', '<rootDir>/dist', '<rootDir>/packages/[^/]+/dist'],
  globalSetup: '<rootDir>/scripts/test-setup.mjs',
  testSequencer: '<rootDir>/scripts/slow-suites-first.mjs',
  reporters: ['default', '<rootDir>/scripts/slowest-suites.mjs'],
  // One more than cores, because many suites wait for other programs.
  maxWorkers: availableParallelism() + 1,
  testTimeout: 20_000,
  collectCoverageFrom: [
    'packages/nestjs-auth/src/guards/*.guard.ts',
    'packages/nestjs-auth/src/refresh/*.ts',
    'packages/nestjs-auth/src/session/**/*.ts',
    'packages/nestjs-zitadel/src/session/token-refresher.ts',
    'packages/nestjs-zitadel/src/session/session-token.ts',
  ],
  coverageReporters: ['text'],
  coverageThreshold: { global: { branches: 100, functions: 100, lines: 100, statements: 100 } },
};
