import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG = { authTagLength: 16 };

/** Encrypts what leaves the process. */
export class StateCipher {
  private readonly keys: Buffer[];
  private readonly nameKey: Buffer;
  /** what all names of this application begin with, as another may use the same Redis */
  readonly space: string;

  /**
   * @param secrets the first encrypts, all decrypt
   * @param salt hides names, too: it stays when secrets change
   */
  constructor(secrets: readonly string[], salt: string) {
    const keyOf = (secret: string, use: string) =>
      Buffer.from(hkdfSync('sha256', secret, salt, `shared state ${use}`, KEY_BYTES));
    this.keys = secrets.map((secret) => keyOf(secret, 'entries'));
    this.nameKey = keyOf(salt, 'names');
    this.space = `nestjs-zitadel:${this.nameOf('').slice(0, 8)}`;
  }

  /** Stands for a text that says whose it is. */
  nameOf(text: string): string {
    return createHmac('sha256', this.nameKey).update(text).digest('base64url');
  }

  encrypt(text: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.keys[0] ?? '', iv, TAG);
    const sealed = [cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat([iv, ...sealed]).toString('base64');
  }

  /** `undefined` for what none of the keys has encrypted. */
  decrypt(sealed: string): string | undefined {
    const bytes = Buffer.from(sealed, 'base64');
    const tagAt = bytes.length - TAG.authTagLength;
    for (const key of tagAt > IV_BYTES ? this.keys : []) {
      const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), TAG);
      decipher.setAuthTag(bytes.subarray(tagAt));
      try {
        return decipher.update(bytes.subarray(IV_BYTES, tagAt), undefined, 'utf8') + decipher.final('utf8');
      } catch {
        continue;
      }
    }
    return undefined;
  }
}
