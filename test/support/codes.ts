import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every `readonly code = '…'` of the web application and its module. */
function codesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !/^(api|bearer)/.test(file))
    .flatMap((file) => [
      ...readFileSync(join(folder, file), 'utf8').matchAll(/readonly code(?:: string)? = '(\w+)'/g),
    ])
    .map(([, code = '']) => code);
}

/** Codes of errors. */
export const codes = [
  ...codesIn('src'),
  ...codesIn('packages/nestjs-auth/src'),
  ...codesIn('packages/nestjs-zitadel/src'),
];
