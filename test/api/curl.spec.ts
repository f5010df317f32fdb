import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { answerDevice, shownBy } from '../support/device-approval.js';
import { runProgram } from '../support/run-program.js';
import { startApi } from '../support/start-api.js';

/** The code blocks of a page that call curl, in order. */
const blocksOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)]
    .map(([, commands = '']) => commands)
    .filter((commands) => commands.includes('curl'));

/** Runs commands, and allows the request of `npm run token`, as the person does. Resolves to the standard output. */
async function shell(commands: string, sandbox: Sandbox): Promise<string> {
  const env = {
    ZITADEL_DOMAIN: sandbox.issuer,
    ZITADEL_CLI_CLIENT_ID: sandbox.clients.device?.clientId ?? '',
    IDP_PROJECT_ID: sandbox.projectId,
  };
  const running = runProgram('bash', ['-c', commands], env, resolve('.'));
  if (commands.includes('npm run -s token')) await answerDevice(await shownBy(running), 'allowed');
  await running.exit;
  return running.stdout();
}

it.each([
  ['README.md', 1],
  ['docs/api.md', 4],
])(
  'the curl commands in %s return 401 without a token and 200 "Hello World!" with one',
  async (page, count) => {
    const folder = mkdtempSync(join(tmpdir(), 'curl-'));
    const sandbox = await startSandbox({ device: {} });
    const { apiKeyFile } = await sandbox.writeKeys(folder);
    const api = await startApi({ IDP_AUTHORITY: sandbox.issuer, ZITADEL_API_KEY_FILE: apiKeyFile });
    try {
      const [nobody = '', ...ways] = blocksOf(page).map((commands) =>
        commands
          .replaceAll('http://localhost:3001', api.origin)
          .replaceAll('http://localhost:8080', sandbox.issuer)
          .replaceAll('.sandbox/8080', folder),
      );
      expect(await shell(nobody, sandbox)).toMatch(/^HTTP\/1.1 401 [\s\S]*www-authenticate: bearer/i);
      expect(ways).toHaveLength(count);
      for (const way of ways) {
        const said = await shell(way, sandbox);
        expect(said).toMatch(/^HTTP\/1.1 200 /);
        expect(said).toContain('"Hello World!"');
      }
    } finally {
      await api.close();
      await sandbox.close();
      rmSync(folder, { recursive: true });
    }
  },
  60_000,
);
