import type { Env } from '../config/env.js';
import { deriveKey, macOf } from '@mridang/nestjs-zitadel';

const LENGTH = 12;

/** Pseudonyms (HMAC) of users and sessions for the log. */
export class Pseudonyms {
  private readonly key: Buffer;

  constructor({ secrets: [secret = ''], salt }: Env['session']) {
    this.key = deriveKey(secret, salt, 'pseudonyms');
  }

  of(id: string): string {
    return macOf(this.key, id).slice(0, LENGTH);
  }
}
