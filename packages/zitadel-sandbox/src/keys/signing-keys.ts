import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader, type JWK } from 'jose';
import { newId } from '../storage/ids.js';
import { releaseKeyPair, acquireKeyPair, type RsaKey } from './rsa-keys.js';

interface SigningKey {
  kid: string;
  pair?: Promise<RsaKey>;
}

/** The issuer's RS256 keys, oldest first: retired keys, the active key, the next key. All of them are published. */
export class SigningKeys {
  private readonly keys: SigningKey[] = [];

  constructor() {
    this.addKey();
    this.addKey();
  }

  /** Generates the key pairs in the background, so that the first request does not wait for them. */
  async prepare(): Promise<void> {
    await Promise.all(this.keys.map(pairOf));
  }

  /** Activates the next key and publishes a new next key. */
  async rotate(): Promise<void> {
    this.addKey();
    await this.prepare();
  }

  /** Returns the key pairs to the pool. Call it once, after the last request. */
  release(): void {
    for (const { pair } of this.keys) void pair?.then(releaseKeyPair);
  }

  /** The JSON Web Key Set (RFC 7517). */
  async jwks(): Promise<{ keys: JWK[] }> {
    return { keys: await Promise.all(this.keys.map(publicJwk)) };
  }

  /** A JWT (JWS compact serialization) with these claims, signed with the active key. */
  async sign(claims: object): Promise<string> {
    const active = this.keys.at(-2);
    if (!active) throw new Error('No active signing key');
    const { privateKey } = await pairOf(active);
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'RS256', kid: active.kid, typ: 'JWT' })
      .sign(privateKey);
  }

  /** True when the `kid` of the JWT names one of these keys. Does not verify the signature. */
  hasKeyOf(jwt: string): boolean {
    try {
      const { kid } = decodeProtectedHeader(jwt);
      return this.keys.some((key) => key.kid === kid);
    } catch {
      return false;
    }
  }

  /** The claims of a JWT that one of these keys signed; undefined for any other string. Does not check `exp` or `nbf`. */
  async verifiedClaims(jwt: string): Promise<Record<string, unknown> | undefined> {
    try {
      const { payload } = await compactVerify(jwt, ({ kid }) => this.publicKey(kid), {
        algorithms: ['RS256'],
      });
      return JSON.parse(Buffer.from(payload).toString()) as Record<string, unknown>;
    } catch {
      return undefined;
    }
  }

  private addKey(): void {
    this.keys.push({ kid: newId() });
  }

  private async publicKey(kid: string | undefined): Promise<KeyObject> {
    const key = this.keys.find((candidate) => candidate.kid === kid);
    if (!key) throw new Error('Unknown kid');
    return (await pairOf(key)).publicKey;
  }
}

function pairOf(key: SigningKey): Promise<RsaKey> {
  return (key.pair ??= acquireKeyPair());
}

async function publicJwk(key: SigningKey): Promise<JWK> {
  const { kid } = key;
  const { publicKey } = await pairOf(key);
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  return { use: 'sig', kty, kid, alg: 'RS256', n, e } as JWK;
}
