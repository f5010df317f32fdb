import { hkdfSync } from 'node:crypto';
import { base64url, calculateJwkThumbprint, EncryptJWT, jwtDecrypt } from 'jose';
import type { SessionToken } from '../auth.types.js';

interface SessionCodecOptions {
  /** the first encrypts, all decrypt */
  secrets: readonly string[];
  /** part of the key: a value copied from another cookie does not open */
  cookieName: string;
  maxAgeSeconds: number;
  maxLifetimeSeconds: number;
}

interface Key {
  kid: string;
  bytes: Uint8Array;
}

const ENCRYPTION = 'A256GCM';

/** Turns the session into the value of its cookie and back: a JWE (RFC 7516) with a derived key. */
export class SessionCodec {
  private readonly keys: Promise<readonly Key[]>;

  constructor(private readonly options: SessionCodecOptions) {
    this.keys = Promise.all(options.secrets.map((secret) => derivedKey(secret, options.cookieName)));
  }

  /** Encrypts `token`, whose idle time starts anew and whose first sealing counts as its start. */
  async seal(token: SessionToken): Promise<{ value: string; endsAtSeconds: number }> {
    const [key] = await this.keys;
    if (!key) throw new Error('No key to seal the session with');
    const now = Date.now() / 1000;
    const start = typeof token['start'] === 'number' ? token['start'] : now;
    const endsAtSeconds = Math.min(now + this.options.maxAgeSeconds, start + this.options.maxLifetimeSeconds);
    const value = await new EncryptJWT({ ...token, start, iat: now, exp: endsAtSeconds })
      .setProtectedHeader({ alg: 'dir', enc: ENCRYPTION, kid: key.kid })
      .encrypt(key.bytes);
    return { value, endsAtSeconds };
  }

  /** Decrypts a cookie value. `null` when it is expired, was tampered with, or comes from another key. */
  async open(value: string): Promise<SessionToken | null> {
    const keys = await this.keys;
    try {
      const { payload } = await jwtDecrypt(
        value,
        ({ kid }) => {
          const key = keys.find((candidate) => candidate.kid === kid);
          if (!key) throw new Error('No key of this application sealed the value');
          return key.bytes;
        },
        {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: [ENCRYPTION],
          requiredClaims: ['exp'],
        },
      );
      return (payload.exp ?? 0) * 1000 > Date.now() ? payload : null;
    } catch {
      return null;
    }
  }
}

async function derivedKey(secret: string, cookieName: string): Promise<Key> {
  const bytes = new Uint8Array(hkdfSync('sha256', secret, cookieName, `nestjs-auth ${ENCRYPTION}`, 32));
  return { bytes, kid: await calculateJwkThumbprint({ kty: 'oct', k: base64url.encode(bytes) }) };
}
