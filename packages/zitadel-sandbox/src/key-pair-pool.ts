import { makeRsaKey, type RsaKey } from './rsa-key.js';

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
