import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import { ConfigError, type Problem } from './config-error.js';

/**
 * Adds the variables of a file, `.env` in the working directory by default; those of the environment win.
 *
 * @param known names of variables whose values in the file are checked
 * @throws `ConfigError` where dotenv would read a value other than the one an editor shows
 */
export function loadEnvFile(
  environment: Record<string, string | undefined>,
  known: readonly string[],
  file = '.env',
) {
  const ownNames = known.filter((name) => environment[name] === undefined);
  for (const [name, value] of Object.entries(readEnvFile(file, ownNames))) environment[name] ??= value;
}

function readEnvFile(file: string, known: readonly string[]): Record<string, string> {
  const content = contentOf(file);
  if (isUtf16(content)) {
    const expected = 'UTF-8: it is UTF-16, as PowerShell writes files. Save it as UTF-8';
    throw new ConfigError([{ variable: file, expected }]);
  }
  const text = content.toString('utf8');
  const problems = known.filter((name) => isCut(name, text)).map(cutAt);
  if (problems.length > 0) throw new ConfigError(problems);
  return parse(text);
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** Has the byte order mark, or a zero for every other byte of ASCII text. */
const isUtf16 = (content: Buffer) =>
  ['fffe', 'feff'].includes(content.subarray(0, 2).toString('hex')) || content.includes(0);

/** Whether dotenv cuts an unquoted value at a `#` without a space before it. */
function isCut(name: string, text: string): boolean {
  const line = new RegExp(`^[^\\S\\n]*(?:export\\s+)?${name}[^\\S\\n]*=[^\\S\\n]*([^\\r\\n]*)`, 'gm');
  const value = [...text.matchAll(line)].at(-1)?.[1] ?? '';
  return !/^["'`]/.test(value) && /^(?:[^\s#]|\s+[^\s#])*#\S/.test(value);
}

const cutAt = (variable: string): Problem => ({
  variable,
  expected: 'a value in quotes in .env, or a blank before the #: what stands behind a # is a comment there',
});
