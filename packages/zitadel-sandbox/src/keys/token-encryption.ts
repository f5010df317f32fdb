import { randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

/**
 * Encrypts opaque tokens in Zitadel's format since v4 (zitadel#12017): a compact JWE (RFC 7516) of five parts. It starts
 * with `eyJ` as a JWT does, but clients cannot decode it: only this sandbox has the key.
 */
export class TokenEncryption {
  private readonly key = randomBytes(32);

  /** Encrypts access tokens and codes. */
  encrypt(content: string): Promise<string> {
    return this.encryptWith(content, {});
  }

  /** Encrypts refresh tokens and personal access tokens, whose header has a `kid`. */
  encryptLongLived(content: string): Promise<string> {
    return this.encryptWith(content, { kid: 'oidcKey' });
  }

  /** The encrypted content; undefined when another sandbox encrypted it or it was changed. */
  async decrypt(token: string): Promise<string | undefined> {
    try {
      const { plaintext } = await compactDecrypt(token, this.key);
      return Buffer.from(plaintext).toString();
    } catch {
      return undefined;
    }
  }

  private encryptWith(content: string, header: { kid?: string }): Promise<string> {
    return new CompactEncrypt(Buffer.from(content))
      .setProtectedHeader({ alg: 'A256GCMKW', enc: 'A256GCM', ...header })
      .encrypt(this.key);
  }
}
