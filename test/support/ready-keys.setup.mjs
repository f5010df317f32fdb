import { generateKeyPair } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const KEYS = 16;

/** Makes RSA keys once, for all suites: each would make some of its own, which takes 100 ms a key. */
export default async function makeKeys() {
  const options = { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
  const pairs = await Promise.all(
    Array.from({ length: KEYS }, () => promisify(generateKeyPair)('rsa', options)),
  );
  const folder = mkdtempSync(join(tmpdir(), 'test-keys-'));
  const file = join(folder, 'keys.pem');
  writeFileSync(file, pairs.map(({ privateKey }) => privateKey).join(''), { mode: 0o600 });
  process.env['ZITADEL_SANDBOX_KEYS'] = file;
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
}
