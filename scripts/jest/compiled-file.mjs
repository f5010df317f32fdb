import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(root, 'node_modules/.cache/tests/typescript');
mkdirSync(folder, { recursive: true });

/** Where the JavaScript of a TypeScript file is kept. Another content has another place. */
export function compiledFile(path) {
  const hash = createHash('sha256').update(relative(root, path)).update(readFileSync(path));
  return join(folder, `${hash.digest('hex')}.mjs`);
}
