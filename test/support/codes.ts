import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The codes of all errors: every `readonly code = '…'` of the web application and its packages. */
function codesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(api|bearer)/.test(file))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/readonly code(?:: string)? = '(\w+)'/g),
    ])
    .map(([, code = '']) => code);
}

/** The error codes. */
export const codes = [
  ...codesIn('src'),
  ...codesIn('packages/nestjs-auth/src'),
  ...codesIn('packages/nestjs-zitadel/src'),
  ...codesIn('packages/nestjs-program/src'),
];
