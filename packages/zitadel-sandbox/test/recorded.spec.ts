import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { playOwnServer } from './support/recorded/own-server.js';
import { recording } from './support/recorded/recording.js';
import { playSandboxes } from './support/recorded/sandboxes.js';

const handbook = new URL('../../../docs/sandbox.md', import.meta.url);

/** The accepted differences: the rows of the table in docs/sandbox.md, `file: name` in the first column. */
function keptDifferences(): string[] {
  const [, table = ''] = readFileSync(handbook, 'utf8').split(/<!-- (?:end of )?kept differences -->/);
  return [...table.matchAll(/^\| `(.+?)` *\|/gm)].map(([, name = '']) => name);
}

it('The sandbox responds to the recorded requests as the recorded Zitadel did', async () => {
  const ownServer = process.env['ZITADEL_COMPARISON'];
  const played = await (ownServer === undefined
    ? playSandboxes(recording())
    : playOwnServer(ownServer, recording()));
  const different = played.filter(({ differences }) => differences.length > 0);
  process.stdout.write(`${played.length - different.length} of ${played.length} exchanges equal\n`);
  const kept = ownServer === undefined ? keptDifferences() : [];
  expect(different.filter(({ name }) => !kept.includes(name))).toEqual([]);
  // An exchange without a difference must leave the table.
  expect(kept.filter((name) => different.every((one) => one.name !== name))).toEqual([]);
}, 60_000);
