import { apiVariables } from './api-env.js';
import { commandVariables } from './command-env.js';
import { variables } from './env.js';

/** Names of all variables: programs and commands read the same `.env`. */
export const variableNames = Object.keys({ ...variables, ...apiVariables, ...commandVariables });
