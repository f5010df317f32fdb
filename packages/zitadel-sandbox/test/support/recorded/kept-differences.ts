import { readFileSync } from 'node:fs';

const handbook = new URL('../../../../../docs/sandbox.md', import.meta.url);

/** The differences that are kept: the rows of a table of the handbook, `file: name` in the first column. */
export function keptDifferences(table: 'protocol' | 'management' | 'pages'): string[] {
  const marked = new RegExp(`<!-- kept differences: ${table} -->([^]*?)<!-- end -->`);
  const [, rows = ''] = marked.exec(readFileSync(handbook, 'utf8')) ?? [];
  return [...rows.matchAll(/^\| `(.+?)` *\|/gm)].map(([, name = '']) => name);
}
