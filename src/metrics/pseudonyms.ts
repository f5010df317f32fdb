import { createHmac, hkdfSync } from 'node:crypto';
import type { Env } from '../config/env.js';

const LENGTH = 12;

/** Names for people and sessions in the log: the same for the same, and nobody without the secret can tell whose. */
export class Pseudonyms {
  private readonly key: Buffer;

  constructor({ secrets: [secret = ''], salt }: Env['session']) {
    this.key = Buffer.from(hkdfSync('sha256', secret, salt, 'pseudonyms', 32));
  }

  of(id: string): string {
    return createHmac('sha256', this.key).update(id).digest('base64url').slice(0, LENGTH);
  }
}
