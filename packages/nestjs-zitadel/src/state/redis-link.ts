import { Redis } from 'ioredis';
import { deriveKey, macOf, opened, sealed } from '../keys.js';

const COMMAND_TIMEOUT_MS = 500;

/** Two connections to Redis, which sees neither names (MACs) nor values (JWE, RFC 7516). */
export class RedisLink {
  readonly redis: Redis;
  readonly subscriber: Redis;
  private readonly keys: Buffer[];
  private readonly nameKey: Buffer;

  /** @param secrets the first encrypts, all decrypt; names depend on `salt` alone */
  constructor(url: string, secrets: readonly string[], salt: string) {
    this.redis = new Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS * 4,
    });
    this.subscriber = this.redis.duplicate();
    this.keys = secrets.map((secret) => deriveKey(secret, salt, 'shared state'));
    this.nameKey = deriveKey(salt, salt, 'shared state names');
  }

  /** Without a key: the prefix of all names of this kind. */
  nameOf(kind: 'entries' | 'lease' | 'marker' | 'channel', key?: string): string {
    const suffix = key === undefined ? '' : macOf(this.nameKey, key);
    return `nestjs-zitadel:${macOf(this.nameKey, '').slice(0, 8)}:${kind}:${suffix}`;
  }

  readonly encrypt = (text: string) => sealed(text, this.keys[0] ?? Buffer.alloc(0));
  /** `undefined` where no key fits. */
  readonly decrypt = (jwe: string) => opened(jwe, this.keys);
}
