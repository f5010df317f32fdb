import { expect, it } from '@jest/globals';
import { keptDifferences } from './support/recorded/kept-differences.js';
import { playOwnServer } from './support/recorded/own-server.js';
import { recording } from './support/recorded/recording.js';
import { playSandboxes } from './support/recorded/sandboxes.js';

it('The sandbox answers the recorded requests as the recorded Zitadel did', async () => {
  const ownServer = process.env['ZITADEL_COMPARISON'];
  const played = await (ownServer === undefined
    ? playSandboxes(recording())
    : playOwnServer(ownServer, recording()));
  const different = played.filter(({ differences }) => differences.length > 0);
  process.stdout.write(`${played.length - different.length} of ${played.length} exchanges equal\n`);
  const kept = ownServer === undefined ? keptDifferences('protocol') : [];
  expect(different.filter(({ name }) => !kept.includes(name))).toEqual([]);
  // An exchange without a difference must leave the table.
  expect(kept.filter((name) => different.every((one) => one.name !== name))).toEqual([]);
}, 60_000);
