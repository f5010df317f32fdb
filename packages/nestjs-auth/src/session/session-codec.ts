import { randomBytes } from 'node:crypto';
import type { SessionToken } from '../auth.types.js';
import { JweKey } from './jwe-key.js';
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

const JTI_BYTES = 16;

/** Four cookies of 4096 bytes: a longer value was made to consume CPU time. */
const MAX_VALUE_LENGTH = 16_384;

/** Encrypts a session into the value of its cookie and decrypts it. The value is authenticated before it is decompressed. */
export class SessionCodec {
  private readonly first: JweKey;
  private readonly keys: Map<string, JweKey>;
  private readonly formerKeys: Map<string, JweKey>;

  constructor(private readonly options: SessionCodecOptions) {
    const { secrets, cookieName, formerCookieName } = options;
    const keys = secrets.map((secret) => keyFor(secret, cookieName));
    const [first] = keys;
    if (!first) throw new Error('SessionCodec: expected at least one secret');
    this.first = first;
    this.keys = new Map(keys.map((key) => [key.header, key]));
    this.formerKeys = new Map(
      secrets
        .flatMap((secret) => (formerCookieName === undefined ? [] : keyFor(secret, formerCookieName)))
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
    const header = value.slice(0, value.indexOf('.'));
    const content = (this.keys.get(header) ?? this.formerKeys.get(header))?.decrypt(value);
    try {
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

export const isExpired = ({ exp }: Pick<OpenSession, 'exp'>): boolean => exp * 1000 <= Date.now();

const keyFor = (secret: string, salt: string) =>
  new JweKey({ secret, salt, use: 'nestjs-auth session A256GCM', isNamed: true });
