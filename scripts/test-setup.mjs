// Jest's global set-up: prepares once what all suites share.
import { generateKeyPair } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const KEYS = 16;

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache/tests');

export default async function setUp() {
  mkdirSync(cache, { recursive: true });
  await makeKeys();
}

/** Generates RSA keys for the sandbox: each suite would generate its own, which takes 100 ms per key. */
async function makeKeys() {
  const file = join(cache, 'keys.pem');
  process.env['ZITADEL_SANDBOX_KEYS'] = file;
  if (existsSync(file)) return;
  const options = { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
  const pairs = await Promise.all(
    Array.from({ length: KEYS }, () => promisify(generateKeyPair)('rsa', options)),
  );
  writeFileSync(`${file}.${process.pid}`, pairs.map(({ privateKey }) => privateKey).join(''), {
    mode: 0o600,
  });
  renameSync(`${file}.${process.pid}`, file);
}
