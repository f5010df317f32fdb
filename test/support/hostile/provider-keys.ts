import { generateKeyPairSync, randomInt, type KeyObject } from 'node:crypto';
import { readyKey } from 'zitadel-sandbox';

export interface SigningKey {
  alg: string;
  kid: string | undefined;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

/** The keys of the hostile provider, one for each algorithm; it signs with the first. */
export class ProviderKeys {
  private keys: SigningKey[];

  constructor(
    private readonly algorithms: string[],
    private readonly withKid: boolean,
  ) {
    this.keys = this.fresh();
  }

  /** The key for `alg`, or the first one. */
  for(alg = this.algorithms[0]): SigningKey {
    const key = this.keys.find((candidate) => candidate.alg === alg);
    if (!key) throw new Error(`The provider has no key for ${alg}`);
    return key;
  }

  /** Replaces all keys. */
  rotate() {
    this.keys = this.fresh();
  }

  /** Passes the keys of a stopped provider on to another one, because an RSA key takes 100 ms to generate. */
  release() {
    released.push(...this.keys.splice(0));
  }

  jwks() {
    return {
      keys: this.keys.map(({ alg, kid, publicKey }) => ({
        use: 'sig',
        ...(kid ? { kid } : {}),
        ...(this.withKid ? { alg } : {}),
        ...publicKey.export({ format: 'jwk' }),
      })),
    };
  }

  private fresh() {
    return this.algorithms.map((alg) => newKey(alg, this.withKid ? newKid() : undefined));
  }
}

const released: SigningKey[] = [];

/** An unpublished key. */
export function newKey(alg: string, kid?: string): SigningKey {
  const index = released.findIndex((key) => key.alg === alg);
  const [{ publicKey, privateKey } = generated(alg)] = index < 0 ? [] : released.splice(index, 1);
  return { alg, kid, publicKey, privateKey };
}

/** A kid of 18 digits, as in Zitadel. */
const newKid = () => `${randomInt(1e8, 1e9)}${randomInt(1e8, 1e9)}`;

function generated(alg: string) {
  if (/^[RP]S/.test(alg)) return readyKey() ?? generateKeyPairSync('rsa', { modulusLength: 2048 });
  if (alg === 'EdDSA') return generateKeyPairSync('ed25519');
  const namedCurve = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', ES256K: 'secp256k1' }[alg];
  if (!namedCurve) throw new Error(`No key can be made for ${alg}`);
  return generateKeyPairSync('ec', { namedCurve });
}
