import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RsaKey } from './rsa-key.js';

const pem = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g;
let ready: string[] | undefined;

/**
 * A key from the file that the environment variable `ZITADEL_SANDBOX_KEYS` names: RSA-2048 keys in PKCS#8 PEM, one after
 * the other. Each is given once in a process. For test suites that start many processes: to make a key takes 100 ms.
 *
 * @throws Error of `node:fs` when the file cannot be read
 */
export function readyKey(): RsaKey | undefined {
  ready ??= keysIn(process.env['ZITADEL_SANDBOX_KEYS']);
  const next = ready.pop();
  if (next === undefined) return undefined;
  const privateKey = createPrivateKey(next);
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function keysIn(file: string | undefined): string[] {
  return file ? (readFileSync(file, 'utf8').match(pem) ?? []) : [];
}
