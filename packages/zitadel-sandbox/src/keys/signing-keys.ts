import type { KeyObject } from 'node:crypto';
import { CompactSign, compactVerify, decodeProtectedHeader, type JWK } from 'jose';
import { newId } from '../storage/ids.js';
import { giveBackKeyPair, takeKeyPair, type RsaKey } from './rsa-keys.js';

interface SigningKey {
  kid: string;
  pair?: Promise<RsaKey>;
}

/** The issuer's RS256 keys: retired ones, the active one, the next one. All are published. */
export class SigningKeys {
  private readonly keys: SigningKey[] = [];

  constructor() {
    this.addKey();
    this.addKey();
  }

  /** Makes the keys in the background, before somebody has to wait for them. */
  async prepare(): Promise<void> {
    await Promise.all(this.keys.map(pairOf));
  }

  /** Makes the next key the active one and publishes a new next key. */
  async rotate(): Promise<void> {
    this.addKey();
    await this.prepare();
  }

  /** Lets other sandboxes have the key pairs; once only, when nobody asks this one any more. */
  release(): void {
    for (const { pair } of this.keys) void pair?.then(giveBackKeyPair);
  }

  /** The published key set. */
  async jwks(): Promise<{ keys: JWK[] }> {
    return { keys: await Promise.all(this.keys.map(publicJwk)) };
  }

  /** A compact JWT over these claims, signed with the active key. */
  async sign(claims: object): Promise<string> {
    const active = this.keys.at(-2);
    if (!active) throw new Error('There is no active signing key');
    const { privateKey } = await pairOf(active);
    return new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ alg: 'RS256', kid: active.kid, typ: 'JWT' })
      .sign(privateKey);
  }

  /** True when the header of that JWT names one of these keys; says nothing of its signature. */
  isKeyOf(jwt: string): boolean {
    try {
      const { kid } = decodeProtectedHeader(jwt);
      return this.keys.some((key) => key.kid === kid);
    } catch {
      return false;
    }
  }

  /** The claims of a JWT that one of these keys signed; undefined for any other string. Times are not looked at. */
  async claimsOf(jwt: string): Promise<Record<string, unknown> | undefined> {
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
    if (!key) throw new Error('No key of that id');
    return (await pairOf(key)).publicKey;
  }
}

function pairOf(key: SigningKey): Promise<RsaKey> {
  return (key.pair ??= takeKeyPair());
}

async function publicJwk(key: SigningKey): Promise<JWK> {
  const { kid } = key;
  const { publicKey } = await pairOf(key);
  const { kty, n, e } = publicKey.export({ format: 'jwk' });
  return { use: 'sig', kty, kid, alg: 'RS256', n, e } as JWK;
}
