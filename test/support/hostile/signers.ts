import { CompactSign } from 'jose';
import type { Fields } from './patch.js';
import { newKey, type ProviderKeys, type SigningKey } from './provider-keys.js';

/** Makes a compact JWS; `header` is what the token should have besides `alg` and `kid`. */
export type Signer = (header: Fields, claims: Fields, keys: ProviderKeys) => Promise<string>;

/** As it should be: with the published key for `alg`, or the usual one. */
export const byProvider =
  (alg?: string): Signer =>
  (header, claims, keys) =>
    signed(header, claims, keys.for(alg));

/** With a key nobody publishes that goes by the name of the published one. */
export const byStranger =
  (alg = 'RS256'): Signer =>
  (header, claims, keys) =>
    signed(header, claims, newKey(alg, keys.for().kid));

/** With a key nobody publishes, under a name nobody knows. */
export const byUnknownKey: Signer = (header, claims) =>
  signed(header, claims, newKey('ES256', `unknown-${crypto.randomUUID()}`));

/** Not at all. */
export const byNobody =
  (alg = 'none'): Signer =>
  (header, claims) =>
    Promise.resolve(`${encoded({ ...header, alg })}.${encoded(claims)}.`);

/** With HMAC, and what everybody knows as the secret. */
export const byHmac =
  (secret: (keys: ProviderKeys) => string, alg = 'HS256'): Signer =>
  (header, claims, keys) =>
    new CompactSign(Buffer.from(JSON.stringify(claims)))
      .setProtectedHeader({ ...header, alg, ...named(keys.for()) })
      .sign(Buffer.from(secret(keys)));

export const pemOf = (keys: ProviderKeys) =>
  keys.for().publicKey.export({ format: 'pem', type: 'spki' }).toString();

/** With the right key, and then somebody changes the signature. */
export const broken: Signer = async (header, claims, keys) => {
  const token = await byProvider()(header, claims, keys);
  const [head = '', body = '', signature = ''] = token.split('.');
  const other = Buffer.from(signature, 'base64url');
  other[7] = (other[7] ?? 0) ^ 0xff;
  return `${head}.${body}.${other.toString('base64url')}`;
};

/** With the right key, and then the signature is cut off. */
export const cutOff: Signer = async (header, claims, keys) =>
  (await byProvider()(header, claims, keys)).replace(/\.[^.]*$/, '.');

/** With the right key, and then a claim changes. */
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
