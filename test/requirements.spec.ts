import { spawnSync } from 'node:child_process';
import { expect, it } from '@jest/globals';

it('every core requirement has a test, and docs/requirements.md says which', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/requirements.mjs', '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
