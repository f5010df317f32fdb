import { expect, it } from '@jest/globals';
import { keptDifferences } from './support/recorded/kept-differences.js';
import { playManagement } from './support/recorded/management-player.js';

it('The management API answers the recorded calls as the recorded Zitadel did', async () => {
  const played = await playManagement();
  const different = played.filter(({ differences }) => differences.length > 0);
  process.stdout.write(`${played.length - different.length} of ${played.length} calls equal\n`);
  const kept = keptDifferences('management');
  expect(different.filter(({ name }) => !kept.includes(name))).toEqual([]);
  expect(kept.filter((name) => different.every((one) => one.name !== name))).toEqual([]);
}, 60_000);
