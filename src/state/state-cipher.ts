import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts what leaves the process with keys made from the session secrets; a value belongs to the name it was made for. */
export class StateCipher {
  private readonly keys: Buffer[];
  private readonly nameKey: Buffer;

  /**
   * @param secrets the first encrypts, all decrypt
   * @param salt hides names, too: it stays when secrets change
   */
  constructor(secrets: readonly string[], salt: string) {
    this.keys = secrets.map((secret) =>
      Buffer.from(hkdfSync('sha256', secret, salt, 'shared state', KEY_BYTES)),
    );
    this.nameKey = Buffer.from(hkdfSync('sha256', salt, '', 'shared state names', KEY_BYTES));
  }

  /** Stands for a key that says whose it is. */
  nameOf(key: string): string {
    return createHmac('sha256', this.nameKey).update(key).digest('base64url');
  }

  encrypt(name: string, text: string): string {
    const [key] = this.keys;
    if (!key) throw new Error('Nothing is stored without a secret to encrypt it with');
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, key, iv).setAAD(Buffer.from(name));
    return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64',
    );
  }

  /** `undefined` for what none of the keys has encrypted under this name. */
  decrypt(name: string, value: string): string | undefined {
    const bytes = Buffer.from(value, 'base64');
    if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
    for (const key of this.keys) {
      try {
        const decipher = createDecipheriv(CIPHER, key, bytes.subarray(0, IV_BYTES), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-TAG_BYTES));
        return (
          decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
        );
      } catch {
        continue;
      }
    }
    return undefined;
  }
}
