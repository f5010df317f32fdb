// @ts-check
/** @import { Variable } from '@mridang/nestjs-program' */

/** @typedef {Record<string, Variable>} Variables */

/**
 * The text of `.env.example`. Both programs read the same file.
 *
 * @param {Variables} web variables of the web application
 * @param {Variables} api variables of the API
 * @param {Variables} commands variables of commands alone
 */
export function envExample(web, api, commands) {
  const all = Object.entries({ ...web, ...api, ...commands });
  const blocks = all.map(([name, { about, expected, how, placeholder, default: fallback = '' }]) => {
    const comments = [...wrapped(about), `Expected: ${expected}.`, ...(how ? [`Get one: ${how}`] : [])];
    return [...comments.map((line) => `# ${line}`), `${name}=${placeholder ?? fallback.split(' ')[0]}`].join(
      '\n',
    );
  });
  return `# Copy to .env and fill in. Made from src/config/env.ts by: npm run docs\n\n${blocks.join('\n\n')}\n`;
}

/**
 * The text of `docs/configuration.md`.
 *
 * @param {Variables} web variables of the web application
 * @param {Variables} api variables of the API
 * @param {Variables} commands variables of commands alone
 */
export const configurationPage = (web, api, commands) => `# Configuration

The web application and the API each read their environment variables once, at start. A \`.env\` file in the working directory is
read, too; a variable of the environment wins over the file. If something is wrong, the program says everything that is, by
name, and exits with code 1. Values from \`.env.example\` that are marked as placeholders are refused in production.

This page is made from \`src/config/env.ts\` and \`src/config/api-env.ts\` by \`npm run docs\`.

## The web application

${table(web)}

## The API

${table(api)}

## Commands

\`npm run token\` reads these, and of the above \`IDP_AUTHORITY\` or \`ZITADEL_DOMAIN\`, \`IDP_PROJECT_ID\` and \`ALLOW_INSECURE_HTTP\`.

${table(commands)}
`;

/** @param {Variables} variables */
function table(variables) {
  const rows = Object.entries(variables).map(
    ([name, { about, expected, default: fallback, how, placeholder }]) =>
      `| \`${name}\` | ${about} | ${expected}${how ? `; get one: \`${how}\`` : ''} | ${fallback ? `\`${fallback}\`` : placeholder && name !== 'SESSION_SALT' ? 'required' : 'empty'} |`,
  );
  return ['| variable | what it does | expected | default |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

/** @param {string} text */
function wrapped(text) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
