/** For `npm run test:packages`: suites that run programs into which the packages were installed. */
import base from '../jest.config.mjs';

export default {
  ...base,
  rootDir: '..',
  testMatch: ['<rootDir>/packages/*/test/consumers/*.installed.ts'],
  maxWorkers: 2,
};
