import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { readyKey } from './ready-keys.js';

/** Two halves of an RSA-2048 key. */
export interface RsaKey {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

const modulusLength = 2048;
const generate = promisify(generateKeyPair);

/** A new key, made in the background where none is ready. */
export async function makeRsaKey(): Promise<RsaKey> {
  return readyKey() ?? generate('rsa', { modulusLength });
}

const requested = new Map<string, Promise<RsaKey>>();
const made = new Map<string, RsaKey>();

// One process makes each key of a client or service user once, however many sandboxes it starts: a key costs about 100 ms.

/** The key of that name, made in the background. Nothing is ever stored: a new process has new keys. */
export function rsaKey(name: string): Promise<RsaKey> {
  const known = requested.get(name);
  if (known) return known;
  const key = makeKey(name);
  requested.set(name, key);
  return key;
}

async function makeKey(name: string): Promise<RsaKey> {
  const key = made.get(name) ?? (await makeRsaKey());
  // rsaKeySync may have been faster
  return keep(name, made.get(name) ?? key);
}

/** The same for callers that cannot wait; blocks for the time it takes to make the key. */
export function rsaKeySync(name: string): RsaKey {
  return made.get(name) ?? keep(name, readyKey() ?? generateKeyPairSync('rsa', { modulusLength }));
}

function keep(name: string, key: RsaKey): RsaKey {
  made.set(name, key);
  return key;
}
