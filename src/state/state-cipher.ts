import { createHmac, hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

/** Hides from Redis what is written there: values are JWE (RFC 7516), names are MACs. */
export class StateCipher {
  private readonly keys: Uint8Array[];
  private readonly nameKey: Uint8Array;

  /**
   * @param secrets the first encrypts, all decrypt
   * @param salt hides names, too: it stays when secrets change
   */
  constructor(secrets: readonly string[], salt: string) {
    const keyFrom = (secret: string, use: string) =>
      new Uint8Array(hkdfSync('sha256', secret, salt, use, 32));
    this.keys = secrets.map((secret) => keyFrom(secret, 'shared state'));
    this.nameKey = keyFrom(salt, 'shared state names');
  }

  /** Without a key, what the names of its kind begin with. Another application may use the same Redis. */
  nameOf(kind: 'entries' | 'claim' | 'epoch' | 'news', key?: string): string {
    const mac = (text: string) => createHmac('sha256', this.nameKey).update(text).digest('base64url');
    return `nestjs-zitadel:${mac('').slice(0, 8)}:${kind}:${key === undefined ? '' : mac(key)}`;
  }

  encrypt(text: string): Promise<string> {
    const jwe = new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' });
    return jwe.encrypt(this.keys[0] ?? new Uint8Array());
  }

  /** `undefined` for what none of the keys has encrypted. */
  async decrypt(sealed: string): Promise<string | undefined> {
    const open = (key: Uint8Array) => compactDecrypt(sealed, key);
    const opened = await Promise.any(this.keys.map(open)).catch(() => undefined);
    return opened && Buffer.from(opened.plaintext).toString('utf8');
  }
}
