import { SampleProject } from '../../../test/support/sample-project.js';
import { runSamples } from './support/readme-suite.js';

runSamples(() => SampleProject.ofRepository());
