import { makeRsaKey, type RsaKey } from './rsa-key.js';

// A key costs about 100 ms, so one that is no longer in use is used again. It is never in two sandboxes at once: a
// client that ignores `kid` would take the tokens of the one for those of the other.
const unused: RsaKey[] = [];

/** A key pair that nobody else in this process has. */
export async function takeKeyPair(): Promise<RsaKey> {
  return unused.pop() ?? makeRsaKey();
}

/** Lets somebody else have it. */
export function giveBackKeyPair(pair: RsaKey): void {
  unused.push(pair);
}
