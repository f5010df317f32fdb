import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SetupError, UsageError } from '../setup.error.js';

/** A file to be written. */
export interface NewFile {
  path: string;
  content: string;
}

const OWNER_ONLY = 0o600;

/** @throws `UsageError` when files cannot be made in the folder of `path` */
export function checkWritable(path: string): void {
  const folder = dirname(path);
  try {
    accessSync(folder, constants.W_OK);
    if (existsSync(path)) accessSync(path, constants.W_OK);
  } catch {
    throw new UsageError(`--env-file: cannot write into ${folder}`);
  }
}

/**
 * Writes each file whole: its content is in another file first, which then takes its name. When one cannot be replaced, those before it
 * get their former content again. New ones are for their owner alone; others keep their mode, but `secret` ones.
 *
 * @throws `SetupError`
 */
export function writeFiles(files: readonly NewFile[], secret: readonly string[]): void {
  const unfinished = files.map(({ path }) => `${path}.${process.pid}.tmp`);
  const replaced: { path: string; before: Buffer | undefined }[] = [];
  try {
    files.forEach(({ path, content }, index) => {
      const isKept = existsSync(path) && !secret.includes(path);
      const mode = isKept ? statSync(path).mode & 0o777 : OWNER_ONLY;
      writeFileSync(unfinished[index] ?? '', content, { mode, flag: 'wx' });
    });
    files.forEach(({ path }, index) => {
      const before = existsSync(path) ? readFileSync(path) : undefined;
      renameSync(unfinished[index] ?? '', path);
      replaced.push({ path, before });
    });
  } catch (cause) {
    // a new one stays: Zitadel shows a key once
    for (const { path, before } of replaced) if (before) writeFileSync(path, before);
    for (const path of unfinished) rmSync(path, { force: true });
    throw new SetupError(`Could not write ${files.map(({ path }) => path).join(', ')}`, { cause });
  }
}
