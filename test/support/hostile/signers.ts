import { CompactSign } from 'jose';
import type { Fields } from './patch.js';
import { newKey, type ProviderKeys, type SigningKey } from './provider-keys.js';

/** Makes a compact JWS; `header` has the members besides `alg` and `kid`. */
export type Signer = (header: Fields, claims: Fields, keys: ProviderKeys) => Promise<string>;

/** Signs with the published key for `alg`, or the first one. */
export const byProvider =
  (alg?: string): Signer =>
  (header, claims, keys) =>
    signed(header, claims, keys.for(alg));

/** Signs with an unpublished key under the kid of the published one. */
export const byStranger =
  (alg = 'RS256'): Signer =>
  (header, claims, keys) =>
    signed(header, claims, newKey(alg, keys.for().kid));

/** Signs with an unpublished key under an unknown kid. */
export const byUnknownKey: Signer = (header, claims) =>
  signed(header, claims, newKey('ES256', `unknown-${crypto.randomUUID()}`));

/** Does not sign. */
export const byNobody =
  (alg = 'none'): Signer =>
  (header, claims) =>
    Promise.resolve(`${encoded({ ...header, alg })}.${encoded(claims)}.`);

/** Signs with HMAC and a public value as secret. */
export const byHmac =
  (secret: (keys: ProviderKeys) => string, alg = 'HS256'): Signer =>
  (header, claims, keys) =>
    new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ ...header, alg, ...named(keys.for()) })
      .sign(Buffer.from(secret(keys)));

export const pemOf = (keys: ProviderKeys) =>
  keys.for().publicKey.export({ format: 'pem', type: 'spki' }).toString();

/** Signs with the right key and changes the signature. */
export const broken: Signer = async (header, claims, keys) => {
  const token = await byProvider()(header, claims, keys);
  const [head = '', body = '', signature = ''] = token.split('.');
  const other = Buffer.from(signature, 'base64url');
  other[7] = (other[7] ?? 0) ^ 0xff;
  return `${head}.${body}.${other.toString('base64url')}`;
};

/** Signs with the right key and removes the signature. */
export const cutOff: Signer = async (header, claims, keys) =>
  (await byProvider()(header, claims, keys)).replace(/\.[^.]*$/, '.');

/** Signs with the right key and changes a claim. */
export const forged =
  (claim: Fields): Signer =>
  async (header, claims, keys) => {
    const [head = '', , signature = ''] = (await byProvider()(header, claims, keys)).split('.');
    return `${head}.${encoded({ ...claims, ...claim })}.${signature}`;
  };

function signed(header: Fields, claims: Fields, key: SigningKey): Promise<string> {
  return new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: key.alg, ...named(key), ...header })
    .sign(key.privateKey);
}

const named = ({ kid }: SigningKey) => (kid ? { kid } : {});

const encoded = (value: Fields) => Buffer.from(JSON.stringify(value)).toString('base64url');
