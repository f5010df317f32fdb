import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

interface JweKeyOptions {
  secret: string;
  /** a value encrypted with one salt cannot be decrypted with the key of another */
  salt: string;
  /** what the key is for (RFC 5869 3.2) */
  use: string;
  /** whether the protected header names the key by a `kid` */
  isNamed: boolean;
}

/**
 * A content encryption key. Encrypts to a JWE in compact serialization (RFC 7516), `dir` with a key from HKDF and A256GCM, and decrypts
 * it. Synchronous: for a cookie, the way to a thread and back costs more CPU time than the cipher.
 */
export class JweKey {
  /** the protected header */
  readonly header: string;
  private readonly bytes: Buffer;
  /** the header, which is authenticated with the content (RFC 7516 5.1) */
  private readonly aad: Buffer;

  constructor({ secret, salt, use, isNamed }: JweKeyOptions) {
    this.bytes = Buffer.from(hkdfSync('sha256', secret, salt, use, KEY_BYTES));
    const kid = isNamed ? hash('sha256', this.bytes, 'base64url').slice(0, 8) : undefined;
    const header = { alg: 'dir', enc: 'A256GCM', kid };
    this.header = Buffer.from(JSON.stringify(header)).toString('base64url');
    this.aad = Buffer.from(this.header);
  }

  encrypt(content: string | Buffer): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.bytes, iv).setAAD(this.aad);
    const ciphertext = cipher.update(content as Buffer);
    cipher.final();
    return [
      this.header,
      '',
      ...[iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url')),
    ].join('.');
  }

  /** Returns the content; `null` when the value was modified, or encrypted with another key. */
  decrypt(value: string): Buffer | null {
    const parts = value.split('.');
    if (parts.length !== 5 || parts[0] !== this.header || parts[1] !== '') return null;
    try {
      const [iv, ciphertext, tag] = parts.slice(2).map(bytesOf) as [Buffer, Buffer, Buffer];
      const decipher = createDecipheriv(CIPHER, this.bytes, iv, { authTagLength: TAG_BYTES });
      const content = decipher.setAAD(this.aad).setAuthTag(tag).update(ciphertext);
      // Authenticates the content; GCM leaves nothing for the end.
      decipher.final();
      return content;
    } catch {
      return null;
    }
  }
}

/** @throws `TypeError` for a non-canonical encoding: a content has exactly one value with the same bytes */
function bytesOf(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url');
  if (bytes.toString('base64url') !== base64url) throw new TypeError('Not canonical base64url');
  return bytes;
}
