// @ts-check
/** @import { Mistake } from '@mridang/nestjs-zitadel' */

/**
 * The text of `docs/doctor.md`.
 *
 * @param {Record<string, Mistake>} mistakes
 */
export const doctorPage = (mistakes) => `# What is wrong?

\`npm run doctor\` examines the configuration and the set-up in Zitadel with requests that need no user and change nothing. It reads the
environment and \`.env\` as the programs do, prints one line for each check (\`ok\`, \`wrong\` with cause and cure, \`unknown\` with what
would tell), and ends within 20 s. The exit status is 1 when something is wrong, 2 for wrong use. Secrets are never printed.

| option | meaning |
| --- | --- |
| \`--env-file FILE\` | another file than \`.env\` |
| \`--service-key FILE\` | key file of any service user: shows whether the API application is in the project |
| \`--fix\` | runs \`npm run setup\` where it makes right what is wrong, in the project of the env file; needs \`--pat-file FILE\` or \`--key-file FILE\`, and takes \`--organization\` and \`--project\` (docs/zitadel.md) |
| \`--json\` | one document: \`{"checks": [{"id", "status", "cause", "cure", "setting"}]}\` |

\`npm run doctor -- token\` reads an access token from standard input and says why the API takes or refuses it: kind, age, audience,
roles, scopes, and the check that decides.

What it cannot see without a user: roles that are missing in ID token and userinfo. They need "Assert Roles on Authentication" in the
project and a role assignment.

## What you see, what is wrong, what to do

This page is made from \`packages/nestjs-zitadel/src/setup/mistakes.ts\` by \`npm run docs\`. The check at start
([operations](operations.md#the-check-at-start)) knows the same mistakes by the same names.

| what you see | check | what is wrong | what to do |
| --- | --- | --- | --- |
${Object.entries(mistakes).map(row).join('\n')}
`;

/** @param {[string, Mistake]} entry */
const row = ([code, { check, setting, seen = '', cause, cure }]) =>
  `| ${cell(seen)} | \`${check}\` | ${cell(cause)} (\`${code}\`) | ${setting ? `\`${setting}\`: ` : ''}${cell(cure)} |`;

/** @param {string} text */
const cell = (text) => text.replaceAll(/\{(\w+)\}/g, '_$1_').replaceAll('|', '\\|');
