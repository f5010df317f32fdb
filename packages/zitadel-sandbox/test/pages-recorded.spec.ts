import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { shop } from './support/recorded/environments.js';
import { keptDifferences } from './support/recorded/kept-differences.js';
import { deviceNames, deviceSteps, playPages, registrationSteps } from './support/recorded/page-player.js';
import { exchangesOf } from './support/recorded/recording.js';

const folder = mkdtempSync(join(tmpdir(), 'pages-'));
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    ...shop,
    web: { loginVersion: 1 },
    patFile: join(folder, 'admin.pat'),
  });
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

it('The pages of Login V1 for devices, registrations and invitations are as recorded', async () => {
  const played = [
    ...(await playPages(exchangesOf('device-pages'), deviceSteps(sandbox), deviceNames(sandbox))),
    ...(await playPages(exchangesOf('registration-pages'), registrationSteps(sandbox), new Map())),
  ];
  const different = played.filter(({ differences }) => differences.length > 0);
  process.stdout.write(`${played.length - different.length} of ${played.length} pages equal\n`);
  const kept = keptDifferences('pages');
  expect(different.filter(({ name }) => !kept.includes(name))).toEqual([]);
  expect(kept.filter((name) => different.every((one) => one.name !== name))).toEqual([]);
});
