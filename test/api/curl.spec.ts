import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startSandbox } from 'zitadel-sandbox';
import { startApi } from '../support/start-api.js';

/** The code blocks of a page that call curl, in order. */
const blocksOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)]
    .map(([, commands = '']) => commands)
    .filter((commands) => commands.includes('curl'));

function shell(commands: string): Promise<string> {
  const { PATH = '' } = process.env;
  const child = spawn('bash', ['-c', commands], { env: { PATH } });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve) => child.on('close', () => resolve(said)));
}

it.each([
  ['README.md', 1],
  ['docs/api.md', 3],
])(
  'the curl commands in %s return 401 without a token and 200 "Hello World!" with one',
  async (page, count) => {
    const folder = mkdtempSync(join(tmpdir(), 'curl-'));
    const sandbox = await startSandbox();
    const { apiKeyFile } = await sandbox.writeKeys(folder);
    const api = await startApi({ IDP_AUTHORITY: sandbox.issuer, ZITADEL_API_KEY_FILE: apiKeyFile });
    try {
      const [nobody = '', ...ways] = blocksOf(page).map((commands) =>
        commands
          .replaceAll('http://localhost:3001', api.origin)
          .replaceAll('http://localhost:8080', sandbox.issuer)
          .replaceAll('.sandbox/8080', folder),
      );
      expect(await shell(nobody)).toMatch(/^HTTP\/1.1 401 [\s\S]*www-authenticate: bearer/i);
      expect(ways).toHaveLength(count);
      for (const way of ways) {
        const said = await shell(way);
        expect(said).toMatch(/^HTTP\/1.1 200 /);
        expect(said).toContain('"Hello World!"');
      }
    } finally {
      await api.close();
      await sandbox.close();
      rmSync(folder, { recursive: true });
    }
  },
  30_000,
);
