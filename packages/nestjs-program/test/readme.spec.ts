import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../../test/support/free-port.js';
import { runProgram } from '../../../test/support/run-program.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'program-')));

beforeAll(() => {
  const [, sample = ''] =
    /```ts\n(.*?)```/s.exec(readFileSync('packages/nestjs-program/README.md', 'utf8')) ?? [];
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/main.ts'), sample);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  const settings = {
    extends: resolve('tsconfig.base.json'),
    compilerOptions: { rootDir: 'src', outDir: 'dist', typeRoots: [resolve('node_modules/@types')] },
    include: ['src'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const compiled = spawnSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  expect(compiled.stdout).toBe('');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true }));

const run = (env: Record<string, string>) => runProgram(process.execPath, ['dist/main.js'], env, folder);

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
    writeFileSync(join(folder, '.env'), `PORT=${port}\n`);
    const program = run({});
    await program.says(`Ready at http://localhost:${port}`);
    await program.stop();
    rmSync(join(folder, '.env'));
  });

  it('reports an invalid variable and exits with 1', async () => {
    const { exit, output } = run({ PORT: '70000' });
    expect(await exit).toBe(1);
    expect(output()).toContain('PORT: expected a port number, 1 to 65535');
  });
});
