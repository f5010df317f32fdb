import {
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  createPrivateKey,
  createPublicKey,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

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

// A key costs about 100 ms, so one that is no longer in use is used again. It is never in two sandboxes at once: a
// client that ignores `kid` would take the tokens of the one for those of the other.
const unused: RsaKey[] = [];
const waiting: ((pair: RsaKey) => void)[] = [];
let underWay = 0;

// half of Node's threads; the rest of the sandbox needs some too
const maxUnderWay = 2;

/** A key pair that nobody else in this process has. */
export function takeKeyPair(): Promise<RsaKey> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    serve();
  });
}

/** Lets somebody else have it. */
export function giveBackKeyPair(pair: RsaKey): void {
  unused.push(pair);
  serve();
}

function serve(): void {
  for (let pair = unused.pop(); pair; pair = unused.pop()) {
    const next = waiting.shift();
    if (!next) {
      unused.push(pair);
      return;
    }
    next(pair);
  }
  while (underWay < Math.min(waiting.length, maxUnderWay)) {
    underWay += 1;
    void makeRsaKey().then((pair) => {
      underWay -= 1;
      giveBackKeyPair(pair);
    });
  }
}
