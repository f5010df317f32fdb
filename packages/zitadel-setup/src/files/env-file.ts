import { parse } from 'dotenv';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { SetupError, UsageError } from '../setup.error.js';
import type { Environment } from './variables.js';

/** An env file as it is. */
export interface EnvFile {
  /** absolute, without symbolic links */
  path: string;
  /** undefined: there is none yet */
  content: string | undefined;
  values: Environment;
}

/** @throws `UsageError` when it cannot be read as UTF-8 */
export function readEnvFile(path: string): EnvFile {
  const absolute = resolve(path);
  if (!existsSync(absolute)) return { path: absolute, content: undefined, values: {} };
  let bytes: Buffer;
  try {
    bytes = readFileSync(absolute);
  } catch {
    throw new UsageError(`--env-file: cannot read ${path}`);
  }
  const content = textOf(bytes);
  if (content === undefined) throw new UsageError(`--env-file: ${path} is not UTF-8: save it as UTF-8`);
  return { path: realpathSync(absolute), content, values: parse(content) };
}

function textOf(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Values in quotes may have several lines. */
const VALUE = [
  String.raw`'(?:\\'|[^'])*'`,
  String.raw`"(?:\\"|[^"])*"`,
  '`(?:\\\\`|[^`])*`',
  String.raw`[^#\r\n]*?(?=[^\S\r\n]*(?:#|\r?$))`,
].join('|');

/** A variable with its value; a comment behind it is not part of the match. */
const ASSIGNMENT = new RegExp(
  String.raw`(?<=^[^\S\n]*(?:export[^\S\n]+)?)(?<name>[\w.-]+)[^\S\n]*=[^\S\n]*(?:${VALUE})`,
  'gm',
);

/** The variables whose value in the file is another. An undefined value is not known yet, and counts as another. */
export function changedIn(
  { values }: EnvFile,
  wanted: Readonly<Record<string, string | undefined>>,
): string[] {
  return Object.keys(wanted).filter((name) => values[name] !== wanted[name]);
}

/**
 * The content of the file with other values for these variables. Comments, other variables and their order stay.
 *
 * @throws `SetupError` when the file is of a form in which that cannot be done safely
 */
export function withVariables({ path, content = '', values }: EnvFile, wanted: Environment): string {
  let text = content;
  const added: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    if (values[name] === value) continue;
    const written = `${name}=${quoted(value)}`;
    const last = [...text.matchAll(ASSIGNMENT)].findLast(({ groups }) => groups?.['name'] === name);
    if (!last) added.push(written);
    else text = text.slice(0, last.index) + written + text.slice(last.index + last[0].length);
  }
  const result = added.length === 0 ? text : `${endedBy(text)}${added.join('\n')}\n`;
  checkRead(path, parse(result), { ...values, ...wanted });
  return result;
}

function endedBy(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function quoted(value: string): string {
  if (/^[\w:/.,@+-]*$/.test(value)) return value;
  const quote = [`'`, '"', '`'].find((one) => !value.includes(one));
  if (quote === undefined)
    throw new SetupError('A value has all three kinds of quotes and cannot be written');
  return quote + value + quote;
}

function checkRead(path: string, read: Environment, expected: Environment): void {
  const names = [...new Set([...Object.keys(read), ...Object.keys(expected)])];
  const wrong = names.filter((name) => read[name] !== expected[name]);
  if (wrong.length === 0) return;
  throw new SetupError(
    `${path} is written in a way that setup cannot change safely (at ${wrong.join(', ')}): nothing was written. Simplify those lines, or use another file with --env-file`,
  );
}
