import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

/** The last cell of each row. */
const cells = readFileSync('docs/security.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (threat|-)/.test(line))
  .map((line) => line.split('|').at(-2) ?? '');

it('docs/security.md names a test file that exists for each threat', () => {
  expect(cells.length).toBeGreaterThan(35);
  for (const cell of cells) {
    const names = [...cell.matchAll(/`([\w./-]+)`/g)].map(([, name = '']) => name);
    expect(names).not.toEqual([]);
    for (const name of names)
      expect([name, existsSync(join('test/hostile', `${name}.spec.ts`))]).toEqual([name, true]);
  }
});
