import { describe } from '@jest/globals';
import { SampleProject } from '../../../../test/support/sample-project.js';
import { runSamples } from '../support/readme-suite.js';

describe('in a program of Nest 11, with CommonJS and the resolution of Node.js 10', () => {
  const settings = { module: 'commonjs', moduleResolution: 'node10' };
  runSamples(() => SampleProject.installed('nestjs-zitadel/nest11', settings));
});

describe('in a program of Nest 12, with ES modules', () => {
  runSamples(() => SampleProject.installed('nestjs-zitadel/nest12', { module: 'nodenext' }));
});
