import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { freePort } from './support/free-port.js';
import { runProgram } from './support/run-program.js';

const lines = [
  'SESSION_SECRET=a-secret-of-at-least-thirty-two-characters',
  'ZITADEL_DOMAIN=http://localhost:9 # of this machine',
  'ZITADEL_CLIENT_ID="1#2"',
  'ZITADEL_CLIENT_SECRET= # none',
  'ZITADEL_CHECK_AT_START=false',
];

/** Starts the built web application in a folder with that `.env`. */
async function startWith(content: Buffer | string, env: Record<string, string> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'env-'));
  writeFileSync(join(folder, '.env'), content);
  const port = String(await freePort());
  return runProgram(process.execPath, [resolve('dist/main.js')], { PORT: port, ...env }, folder);
}

const text = lines.join('\r\n');

describe('a .env file', () => {
  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a byte order mark', Buffer.from(`\ufeff${text}`)],
  ])('in %s is read', async (_name, content) => {
    const program = await startWith(content);
    await program.says('Ready at');
    await program.stop();
  });

  it.each([
    ['UTF-16, as PowerShell writes it', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['UTF-16 without a byte order mark', Buffer.from(text, 'utf16le')],
    ['UTF-16, big-endian', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('in %s is refused with the remedy', async (_name, content) => {
    const program = await startWith(content);
    expect(await program.exit).toBe(1);
    expect(program.output()).toBe(
      'The configuration has a problem:\n  .env: expected UTF-8: it is UTF-16, as PowerShell writes files. Save it as UTF-8\nAll variables: docs/configuration.md\n',
    );
  });

  it.each([
    'SESSION_SECRET=abc#defghijklmnopqrstuvwxyz0123456789',
    'export SESSION_SECRET=#abc',
    'SESSION_SALT = a#b # c',
  ])('in which a # would cut a value is refused with the remedy: %s', async (line) => {
    const program = await startWith([...lines, line].join('\n'));
    expect(await program.exit).toBe(1);
    expect(program.output()).toMatch(
      /SESSION_(SECRET|SALT): expected a value in quotes in \.env, or a blank before the #: what stands behind a # is a comment there/,
    );
    expect(program.output()).not.toMatch(/abc|defg/);
  });

  it('in which a # would cut a value is accepted when the environment sets the same variable', async () => {
    const program = await startWith([...lines, 'SESSION_SALT=a#b'].join('\n'), { SESSION_SALT: 'a-salt' });
    await program.says('Ready at');
    await program.stop();
  });
});
