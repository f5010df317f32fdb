import { randomBytes } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

/**
 * Makes opaque values look as Zitadel's do since v4.x (zitadel#12017): a compact JWE of five parts whose
 * start `eyJ` tempts clients to decode it. Only this sandbox can open it.
 */
export class TokenEncryption {
  private readonly key = randomBytes(32);

  /** Access tokens and codes. */
  encrypt(content: string): Promise<string> {
    return this.encryptWith(content, {});
  }

  /** Refresh tokens and personal access tokens: their header names a key. */
  encryptLongLived(content: string): Promise<string> {
    return this.encryptWith(content, { kid: 'oidcKey' });
  }

  /** What was sealed; undefined when this sandbox did not seal it or a single character is missing. */
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
