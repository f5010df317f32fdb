import { apiVariables } from './api-env.js';
import { variables } from './env.js';

/** Names of all variables: both programs read the same `.env`. */
export const variableNames = Object.keys({ ...variables, ...apiVariables });
