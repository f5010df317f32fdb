// `npm run docs`: writes the files that are made from the configuration schema.
import { writeFileSync } from 'node:fs';
import { configurationPage, envExample } from '../build/config/env-docs.js';

writeFileSync('.env.example', envExample());
writeFileSync('docs/configuration.md', configurationPage());
