import { apiVariables } from './api-env.js';
import { variables } from './env.js';
import type { Variable } from './variable.js';

const web = Object.entries(variables) as [string, Variable][];
const api = Object.entries(apiVariables) as [string, Variable][];
/** Both programs read the same file. */
const all = [...web, ...api.filter(([name]) => !(name in variables))];

/** The text of `.env.example`. */
export function envExample(): string {
  const blocks = all.map(([name, variable]) => {
    const comments = [...wrapped(variable.about), `Expected: ${variable.expected}.`];
    if (variable.how) comments.push(`Get one: ${variable.how}`);
    return [...comments.map((line) => `# ${line}`), `${name}=${exampleValue(variable)}`].join('\n');
  });
  return `# Copy to .env and fill in. Made from src/config/env.ts by: npm run docs\n\n${blocks.join('\n\n')}\n`;
}

/** The text of `docs/configuration.md`. */
export function configurationPage(): string {
  return `# Configuration

The web application and the API each read their environment variables once, at start. A \`.env\` file in the working directory is
read, too; a variable of the environment wins over the file. If something is wrong, the program says everything that is, by
name, and exits with code 1. Values from \`.env.example\` that are marked as placeholders are refused in production.

This page is made from \`src/config/env.ts\` and \`src/config/api-env.ts\` by \`npm run docs\`.

## The web application

${table(web)}

## The API

${table(api)}
`;
}

function table(variablesOf: [string, Variable][]): string {
  const rows = variablesOf.map(
    ([name, { about, expected, default: fallback, how, placeholder }]) =>
      `| \`${name}\` | ${about} | ${expected}${how ? `; get one: \`${how}\`` : ''} | ${fallback ? `\`${fallback}\`` : placeholder && name !== 'SESSION_SALT' ? 'required' : 'empty'} |`,
  );
  return ['| variable | what it does | expected | default |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

const exampleValue = ({ placeholder, default: fallback }: Variable) =>
  placeholder ?? fallback?.split(' ')[0] ?? '';

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < 100) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
