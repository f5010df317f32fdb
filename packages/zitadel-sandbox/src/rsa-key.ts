import { generateKeyPair, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';

/** Two halves of an RSA-2048 key. */
export interface RsaKey {
  publicKey: KeyObject;
  privateKey: KeyObject;
}

const modulusLength = 2048;
const generate = promisify(generateKeyPair);
const eager = new Map<string, Promise<RsaKey>>();
const lazy = new Map<string, RsaKey>();

// One process makes each named key once, however many sandboxes it starts: a key costs about 100 ms.

/** The key of that name, made in the background. Nothing is ever stored: a new process has new keys. */
export function rsaKey(name: string): Promise<RsaKey> {
  const known = eager.get(name);
  if (known) return known;
  const made = generate('rsa', { modulusLength });
  eager.set(name, made);
  return made;
}

/** The same for callers that cannot wait; blocks for the time it takes to make the key. */
export function rsaKeySync(name: string): RsaKey {
  const known = lazy.get(name);
  if (known) return known;
  const made = generateKeyPairSync('rsa', { modulusLength });
  lazy.set(name, made);
  return made;
}
