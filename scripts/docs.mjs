// `npm run docs`: generates the files from the configuration schema and the texts of the doctor.
import { writeFileSync } from 'node:fs';
import { apiVariables } from '../build/config/api-env.js';
import { commandVariables } from '../build/config/command-env.js';
import { variables } from '../build/config/env.js';
import { mistakes } from '@mridang/nestjs-zitadel';
import { doctorPage } from './doctor-docs.mjs';
import { errorsPage, failurePageTexts } from './error-docs.mjs';
import { configurationPage, envExample } from './env-docs.mjs';

writeFileSync('.env.example', envExample(variables, apiVariables, commandVariables));
writeFileSync('docs/configuration.md', configurationPage(variables, apiVariables, commandVariables));
writeFileSync('docs/doctor.md', doctorPage(mistakes));
writeFileSync('docs/errors.md', errorsPage(failurePageTexts));
