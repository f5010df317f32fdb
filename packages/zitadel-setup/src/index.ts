export { runSetup, type SetupDocument, type Surroundings } from './cli/run-setup.js';
export { ManagementClient, ManagementRefused, type TokenSource } from './management/management-client.js';
export { tokenFromFile, tokenFromKey } from './management/token-source.js';
export { SetupError, UsageError } from './setup.error.js';
