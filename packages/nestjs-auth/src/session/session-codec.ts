import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { SessionToken } from '../auth.types.js';
import { packed, unpacked } from './packed-tokens.js';

interface SessionCodecOptions {
  /** the first encrypts, all decrypt */
  secrets: readonly string[];
  /** part of the key: a value copied from another cookie does not open */
  cookieName: string;
  /** under which older versions have set it; only what they have sealed opens under it */
  formerCookieName?: string | undefined;
  /** of the application's origin; an empty string for the usual one */
  port?: string;
  maxAgeSeconds: number;
  maxLifetimeSeconds: number;
}

/** The content of a session cookie, with times in seconds since 1970. */
export interface OpenSession extends SessionToken {
  /** names the session: every renewal of the cookie keeps it */
  jti: string;
  /** of the first sealing: when the user signed in */
  start: number;
  /** of the last sealing */
  iat: number;
  exp: number;
  /** port of the application's origin, an empty string for the usual one; older versions do not say */
  originPort?: string;
}

/** A session as its cookie holds it. */
export interface SealedSession {
  value: string;
  token: OpenSession;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const JTI_BYTES = 16;

/** Browsers keep no more than a few cookies' worth; what is longer was made to be slow. */
const MAX_VALUE_LENGTH = 16_384;

/**
 * Turns the session into the value of its cookie and back: a JWE in compact serialization (RFC 7516) with direct
 * encryption by a derived key and AES-256-GCM. It is authenticated before a single byte is unpacked.
 */
export class SessionCodec {
  private readonly first: Key;
  private readonly keys: Map<string, Key>;
  private readonly formerKeys: Map<string, Key>;

  constructor(private readonly options: SessionCodecOptions) {
    const { secrets, cookieName, formerCookieName } = options;
    const keys = secrets.map((secret) => new Key(secret, cookieName));
    const [first] = keys;
    if (!first) throw new Error('A session needs a secret to be encrypted with');
    this.first = first;
    this.keys = new Map(keys.map((key) => [key.header, key]));
    this.formerKeys = new Map(
      secrets
        .flatMap((secret) => (formerCookieName === undefined ? [] : new Key(secret, formerCookieName)))
        .map((key) => [key.header, key]),
    );
  }

  /** Encrypts `token`, whose idle time starts anew and whose first sealing counts as its start. */
  seal(token: SessionToken): SealedSession {
    const now = Date.now() / 1000;
    const start = typeof token['start'] === 'number' ? token['start'] : now;
    const exp = Math.min(now + this.options.maxAgeSeconds, start + this.options.maxLifetimeSeconds);
    const jti = token.jti ?? randomBytes(JTI_BYTES).toString('base64url');
    const sealed = { ...token, jti, start, iat: now, exp, originPort: this.options.port ?? '' };
    return { value: this.first.encrypt(packed(sealed)), token: sealed };
  }

  /** Decrypts a cookie value. `null` when it is expired, was tampered with, or comes from another key. */
  open(value: string): OpenSession | null {
    if (value.length > MAX_VALUE_LENGTH) return null;
    const parts = value.split('.');
    if (parts.length !== 5 || parts[1] !== '') return null;
    try {
      const [header, , iv, ciphertext, tag] = parts as [string, string, string, string, string];
      const key = this.keys.get(header) ?? this.formerKeys.get(header);
      const content = key?.decrypt(bytesOf(iv), bytesOf(ciphertext), bytesOf(tag));
      // What opens with this key was sealed above.
      const token = content ? (unpacked(content) as OpenSession) : null;
      return token && !isOver(token) && !(this.formerKeys.has(header) && isOfThisVersion(token))
        ? token
        : null;
    } catch {
      return null;
    }
  }
}

/** Whether a session was sealed by a version that gives the applications of one host different cookies. */
export const isOfThisVersion = ({ originPort }: OpenSession): boolean => originPort !== undefined;

/** Whether a session has ended by time. */
export const isOver = ({ exp }: OpenSession): boolean => exp * 1000 <= Date.now();

/** A content encryption key, and the protected header that names it. */
class Key {
  readonly header: string;
  private readonly bytes: Buffer;

  constructor(secret: string, cookieName: string) {
    this.bytes = Buffer.from(
      hkdfSync('sha256', secret, cookieName, 'nestjs-auth session A256GCM', KEY_BYTES),
    );
    const kid = createHash('sha256').update(this.bytes).digest('base64url').slice(0, 8);
    this.header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid })).toString('base64url');
  }

  encrypt(content: Buffer): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, this.bytes, iv).setAAD(Buffer.from(this.header));
    const ciphertext = Buffer.concat([cipher.update(content), cipher.final()]);
    return [
      this.header,
      '',
      ...[iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url')),
    ].join('.');
  }

  decrypt(iv: Buffer, ciphertext: Buffer, tag: Buffer): Buffer {
    const decipher = createDecipheriv(CIPHER, this.bytes, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(this.header)).setAuthTag(tag);
    return Buffer.concat([decipher.update(ciphertext), decipher.final()]);
  }
}

/** Throws where several texts would stand for the same bytes: one session has one cookie value. */
function bytesOf(base64url: string): Buffer {
  const bytes = Buffer.from(base64url, 'base64url');
  if (bytes.toString('base64url') !== base64url) throw new TypeError('Not base64url');
  return bytes;
}
