import { createHmac, hkdfSync } from 'node:crypto';

/** Derives a key of 32 bytes by HKDF with SHA-256 (RFC 5869). Each purpose has its own `use`. */
export const deriveKey = (secret: string, salt: string, use: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, salt, use, 32));

/** Returns an HMAC with SHA-256 (RFC 2104) in base64url. */
export const macOf = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url');
