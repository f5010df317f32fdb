import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { SessionToken } from '../auth.types.js';
import { packed, unpacked } from './packed-tokens.js';

interface SessionCodecOptions {
  /** the first encrypts, every one decrypts */
  secrets: readonly string[];
  /** part of the key derivation: a value copied from another cookie cannot be decrypted */
  cookieName: string;
  /** cookie name of older versions: only values that they sealed are accepted under it */
  formerCookieName?: string | undefined;
  /** of the application's origin; empty for the default port */
  port?: string;
  maxAgeSeconds: number;
  maxLifetimeSeconds: number;
}

/** The decrypted content of a session cookie. Times are seconds since 1970. */
export interface OpenSession extends SessionToken {
  /** identifies the session: stays the same when the cookie is rewritten */
  jti: string;
  /** when the content was first sealed: the time of sign-in */
  start: number;
  /** when the content was last sealed */
  iat: number;
  exp: number;
  /** port of the application's origin, empty for the default port; missing in cookies of older versions */
  originPort?: string;
}

/** A session and the value of its cookie. */
export interface SealedSession {
  value: string;
  token: OpenSession;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const JTI_BYTES = 16;

/** Four cookies of 4096 bytes: a longer value was made to consume CPU time. */
const MAX_VALUE_LENGTH = 16_384;

/**
 * Encrypts a session into the value of its cookie and decrypts it: a JWE in compact serialization (RFC 7516), `dir` with a key from
 * HKDF and A256GCM. The value is authenticated before it is decompressed.
 */
export class SessionCodec {
  private readonly first: Key;
  private readonly keys: Map<string, Key>;
  private readonly formerKeys: Map<string, Key>;

  constructor(private readonly options: SessionCodecOptions) {
    const { secrets, cookieName, formerCookieName } = options;
    const keys = secrets.map((secret) => new Key(secret, cookieName));
    const [first] = keys;
    if (!first) throw new Error('SessionCodec: expected at least one secret');
    this.first = first;
    this.keys = new Map(keys.map((key) => [key.header, key]));
    this.formerKeys = new Map(
      secrets
        .flatMap((secret) => (formerCookieName === undefined ? [] : new Key(secret, formerCookieName)))
        .map((key) => [key.header, key]),
    );
  }

  /** Encrypts `token` with a new expiry. Sets `jti` and `start` where they are missing. */
  seal(token: SessionToken): SealedSession {
    const now = Date.now() / 1000;
    const start = typeof token['start'] === 'number' ? token['start'] : now;
    const exp = Math.min(now + this.options.maxAgeSeconds, start + this.options.maxLifetimeSeconds);
    const jti = token.jti ?? randomBytes(JTI_BYTES).toString('base64url');
    const sealed = { ...token, jti, start, iat: now, exp, originPort: this.options.port ?? '' };
    return { value: this.first.encrypt(packed(sealed)), token: sealed };
  }

  /** Decrypts a cookie value. Returns `null` when it has expired, was modified, or was encrypted with another key. */
  open(value: string): OpenSession | null {
    if (value.length > MAX_VALUE_LENGTH) return null;
    const parts = value.split('.');
    if (parts.length !== 5 || parts[1] !== '') return null;
    try {
      const [header, , iv, ciphertext, tag] = parts as [string, string, string, string, string];
      const key = this.keys.get(header) ?? this.formerKeys.get(header);
      const content = key?.decrypt(bytesOf(iv), bytesOf(ciphertext), bytesOf(tag));
      // Only `seal` encrypts with this key.
      const token = content ? (unpacked(content) as OpenSession) : null;
      return token && !isExpired(token) && !(this.formerKeys.has(header) && hasPortInside(token))
        ? token
        : null;
    } catch {
      return null;
    }
  }
}

/** Whether a session was sealed by a version that puts the port into cookie names, and into the content. */
export const hasPortInside = ({ originPort }: OpenSession): boolean => originPort !== undefined;

export const isExpired = ({ exp }: OpenSession): boolean => exp * 1000 <= Date.now();

/** A content encryption key, and the protected header that names it. */
class Key {
  readonly header: string;
  private readonly bytes: Buffer;
  /** the header, which is authenticated with the content (RFC 7516 5.1) */
  private readonly aad: Buffer;

  constructor(secret: string, cookieName: string) {
    this.bytes = Buffer.from(
      hkdfSync('sha256', secret, cookieName, 'nestjs-auth session A256GCM', KEY_BYTES),
    );
    const kid = createHash('sha256').update(this.bytes).digest('base64url').slice(0, 8);
    this.header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid })).toString('base64url');
    this.aad = Buffer.from(this.header);
  }

  encrypt(content: Buffer): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.bytes, iv).setAAD(this.aad);
    const ciphertext = cipher.update(content);
    cipher.final();
    return [
      this.header,
      '',
      ...[iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url')),
    ].join('.');
  }

  decrypt(iv: Buffer, ciphertext: Buffer, tag: Buffer): Buffer {
    const decipher = createDecipheriv(CIPHER, this.bytes, iv, { authTagLength: TAG_BYTES });
    const content = decipher.setAAD(this.aad).setAuthTag(tag).update(ciphertext);
    // Authenticates the content; GCM leaves nothing for the end.
    decipher.final();
    return content;
  }
}

/** @throws `TypeError` for a non-canonical encoding: a session has exactly one cookie value */
function bytesOf(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url');
  if (bytes.toString('base64url') !== base64url) throw new TypeError('Not canonical base64url');
  return bytes;
}
