import {
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  createPrivateKey,
  createPublicKey,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** An RSA-2048 key pair. */
export interface RsaKey {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

const modulusLength = 2048;
const generate = promisify(generateKeyPair);

/** A pregenerated key pair if there is one, else a new one, generated in a background thread. */
async function generateRsaKey(): Promise<RsaKey> {
  return readyKey() ?? generate('rsa', { modulusLength });
}

// A key takes about 100 ms to generate, so all sandboxes of one process share the keys of clients and service users.
const generated = new Map<string, RsaKey>();

/** The key pair of that client or service user, generated in a background thread and never written to disk. */
export async function rsaKey(name: string): Promise<RsaKey> {
  const key = generated.get(name) ?? (await generateRsaKey());
  // a concurrent call may have stored a key in the meantime
  return generated.get(name) ?? store(name, key);
}

/** The same for synchronous callers; blocks the event loop while it generates the key. */
export function rsaKeySync(name: string): RsaKey {
  return generated.get(name) ?? store(name, readyKey() ?? generateKeyPairSync('rsa', { modulusLength }));
}

function store(name: string, key: RsaKey): RsaKey {
  generated.set(name, key);
  return key;
}

const pem = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g;
let ready: string[] | undefined;

/**
 * A pregenerated key from the file that the environment variable `ZITADEL_SANDBOX_KEYS` names: concatenated RSA-2048
 * keys in PKCS#8 PEM. Each process uses each key once. It saves test suites of many processes 100 ms per key.
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

// A closed sandbox returns its keys to this pool. Two running sandboxes never share a key: a client that ignores `kid`
// would accept the tokens of the one for those of the other.
const idle: RsaKey[] = [];

/** A key pair that no other sandbox of this process uses now. */
export async function acquireKeyPair(): Promise<RsaKey> {
  return idle.pop() ?? generateRsaKey();
}

/** Returns a key pair to the pool. */
export function releaseKeyPair(pair: RsaKey): void {
  idle.push(pair);
}
