import { createHmac, hkdfSync } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';

/** Derives a key of 32 bytes by HKDF with SHA-256 (RFC 5869). Each purpose has its own `use`. */
export const deriveKey = (secret: string, salt: string, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, use, 32));

/** Returns an HMAC with SHA-256 (RFC 2104) in base64url. */
export const macOf = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url');

/** Encrypts a text with a key of 32 bytes: a JWE in compact serialization (RFC 7516), `dir` and A256GCM. */
export const sealed = (text: string, key: Buffer): Promise<string> =>
  new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).encrypt(key);

/** Decrypts what `sealed` has made. Resolves to `undefined` where no key fits. */
export async function opened(jwe: string, keys: readonly Buffer[]): Promise<string | undefined> {
  const found = await Promise.any(keys.map((key) => compactDecrypt(jwe, key))).catch(() => null);
  return found ? Buffer.from(found.plaintext).toString() : undefined;
}
