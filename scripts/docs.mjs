// `npm run docs`: writes the files that are made from the configuration schema.
import { writeFileSync } from 'node:fs';
import { apiVariables } from '../build/config/api-env.js';
import { variables } from '../build/config/env.js';
import { configurationPage, envExample } from './env-docs.mjs';

writeFileSync('.env.example', envExample(variables, apiVariables));
writeFileSync('docs/configuration.md', configurationPage(variables, apiVariables));
