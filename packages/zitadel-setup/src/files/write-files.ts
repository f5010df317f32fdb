import { accessSync, constants, existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
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
 * Writes all of the files or none: each has its whole content in another file first, which then takes its name. New ones
 * are for their owner alone; others keep their mode, but `secret` ones.
 *
 * @throws `SetupError`
 */
export function writeFiles(files: readonly NewFile[], secret: readonly string[]): void {
  const unfinished = files.map(({ path }) => `${path}.${process.pid}.tmp`);
  try {
    files.forEach(({ path, content }, index) => {
      const isKept = existsSync(path) && !secret.includes(path);
      const mode = isKept ? statSync(path).mode & 0o777 : OWNER_ONLY;
      writeFileSync(unfinished[index] ?? '', content, { mode, flag: 'wx' });
    });
    files.forEach(({ path }, index) => renameSync(unfinished[index] ?? '', path));
  } catch (cause) {
    for (const path of unfinished) rmSync(path, { force: true });
    throw new SetupError(`Could not write ${files.map(({ path }) => path).join(', ')}`, { cause });
  }
}
