import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The codes of all errors: every `readonly code = '…'` of the programs and their packages. */
function codesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/readonly code(?:: string)? = '(\w+)'/g),
    ])
    .map(([, code = '']) => code);
}

/** The error codes, and those of errors that have none. */
export const codes = [
  ...['UNAUTHORIZED', 'FORBIDDEN'],
  ...codesIn('src'),
  ...codesIn('packages/nestjs-auth/src'),
  ...codesIn('packages/nestjs-zitadel/src'),
  ...codesIn('packages/nestjs-program/src'),
];
