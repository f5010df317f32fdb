import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../../test/support/free-port.js';
import { samplesIn, SampleProject } from '../../../test/support/sample-project.js';

const project = SampleProject.ofRepository();

beforeAll(() => {
  const [main = ''] = samplesIn('packages/nestjs-program/README.md');
  project.compile({ main });
}, 120_000);
afterAll(() => project.remove());

const run = (env: Record<string, string>) => project.run('main', env);

describe('the program of the README', () => {
  it('starts and exits with 0 at SIGTERM', async () => {
    const port = await freePort();
    const program = run({ PORT: String(port) });
    await program.says(`Ready at http://localhost:${port}`);
    expect((await fetch(`http://localhost:${port}/`)).status).toBe(404);
    expect(await program.stop('SIGTERM')).toBe(0);
  });

  it('reads .env', async () => {
    const port = await freePort();
    writeFileSync(join(project.folder, '.env'), `PORT=${port}\n`);
    const program = run({});
    await program.says(`Ready at http://localhost:${port}`);
    await program.stop();
    rmSync(join(project.folder, '.env'));
  });

  it('reports an invalid variable and exits with 1', async () => {
    const { exit, output } = run({ PORT: '70000' });
    expect(await exit).toBe(1);
    expect(output()).toContain('PORT: expected a port number, 1 to 65535');
  });
});
