import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { startSandbox } from 'zitadel-sandbox';
import { startApi } from '../support/start-api.js';

/** The commands of docs/api.md, one block after the other. */
const blocks = [...readFileSync('docs/api.md', 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  ([, commands = '']) => commands,
);

function shell(commands: string, env: Record<string, string>): Promise<string> {
  const { PATH = '' } = process.env;
  const child = spawn('bash', ['-c', commands], { env: { PATH, ...env } });
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data.toString()));
  return new Promise((resolve) => child.on('close', () => resolve(said)));
}

it('the commands of docs/api.md do what it says: 401 without a token, "Hello World!" with one', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'curl-'));
  const sandbox = await startSandbox();
  const { apiKeyFile, serviceUserKeyFile = '' } = await sandbox.writeKeys(folder);
  const api = await startApi({ IDP_AUTHORITY: sandbox.issuer, ZITADEL_API_KEY_FILE: apiKeyFile });
  try {
    const [nobody = '', ...ways] = blocks.map((commands) =>
      commands
        .replaceAll('http://localhost:3001', api.origin)
        .replaceAll('http://localhost:8080', sandbox.issuer),
    );
    expect(await shell(nobody, {})).toMatch(/^HTTP\/1.1 401 [\s\S]*www-authenticate: bearer/i);
    expect(ways).toHaveLength(3);
    for (const way of ways) {
      const said = await shell(way, {
        SERVICE_USER_KEY: serviceUserKeyFile,
        PERSONAL_ACCESS_TOKEN: sandbox.users.find(({ kind }) => kind === 'machine')?.pat ?? '',
      });
      expect(said).toMatch(/^HTTP\/1.1 200 /);
      expect(said).toContain('"Hello World!"');
    }
  } finally {
    await api.close();
    await sandbox.close();
    rmSync(folder, { recursive: true });
  }
}, 30_000);
