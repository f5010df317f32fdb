import { hkdfSync, createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { compactDecrypt, CompactEncrypt } from 'jose';

/** The session cookie as versions without the port in cookie names set it. */
export async function formerSession(
  value: string,
  name: string,
  formerName: string,
  secret: string,
  salt: string,
) {
  const salted = saltedSecret(secret, salt);
  const keyFor = (cookie: string) =>
    Buffer.from(hkdfSync('sha256', salted, cookie, 'nestjs-auth session A256GCM', 32));
  const { plaintext } = await compactDecrypt(value, keyFor(name));
  const content = Buffer.from(plaintext);
  const end = 4 + content.readUInt32BE();
  // Some texts contain a signature that begins like JSON: no byte may change.
  const text = brotliDecompressSync(content.subarray(4, end)).toString('latin1');
  const compressed = brotliCompressSync(Buffer.from(text.replace(/,"originPort":"\d*"/, ''), 'latin1'));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(compressed.length);
  const key = keyFor(formerName);
  const kid = createHash('sha256').update(key).digest('base64url').slice(0, 8);
  return new CompactEncrypt(Buffer.concat([length, compressed, content.subarray(end)]))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
    .encrypt(key);
}

/** The secret with which the auth module encrypts cookies. */
export const saltedSecret = (secret: string, salt: string) =>
  Buffer.from(hkdfSync('sha256', secret, salt, 'session secret', 32)).toString('base64url');
