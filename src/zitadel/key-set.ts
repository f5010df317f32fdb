import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type CryptoKey,
  type JSONWebKeySet,
  type JWTVerifyOptions,
  type JWTVerifyResult,
} from 'jose';
import { KeptValue } from './kept-value.js';

type Lookup = ReturnType<typeof createLocalJWKSet>;

/** Whose tokens are verified. Anybody can post a logout token: that must not use up what a sign-in needs. */
export type Asker = 'sign-in' | 'logout';

/** Zitadel lets its keys be kept for five minutes. */
const LIFETIME_MS = 5 * 60_000;

/** How long keys are not fetched again for tokens nobody knows the key of. */
const COOLDOWN_MS = 30_000;
const RETRY_AFTER_MS = 2_000;

/**
 * The provider's public keys (RFC 7517), fetched at first need. A token signed with a key that is not among them has
 * them fetched once more; when that did not help, nobody asks again for a while. What a token's own header says about
 * where keys are (`jku`, `x5u`, `jwk`) counts for nothing.
 */
export class KeySet {
  private readonly kept: KeptValue<Lookup>;
  private readonly coolUntil = new Map<Asker, number>();

  /** @param fetchKeys throws `IdpUnavailable` when there are none to be had */
  constructor(fetchKeys: () => Promise<JSONWebKeySet>, onRenewalFailed: (error: unknown) => void) {
    this.kept = new KeptValue(async () => createLocalJWKSet(await fetchKeys()), {
      lifetimeMs: LIFETIME_MS,
      retryAfterMs: RETRY_AFTER_MS,
      onRenewalFailed,
    });
  }

  /** Verifies a JWT: its signature here, the rest as jose does. Throws jose's errors and those of `fetchKeys`. */
  async verify(token: string, options: JWTVerifyOptions, asker: Asker): Promise<JWTVerifyResult> {
    const lookup = await this.kept.get();
    try {
      return await verifiedWith(lookup, token, options);
    } catch (error) {
      const newer = mayKeyBeNew(error, token) ? await this.newerThan(lookup, asker) : undefined;
      if (!newer) throw error;
      const verified = await verifiedWith(newer, token, options);
      this.coolUntil.delete(asker);
      return verified;
    }
  }

  private async newerThan(lookup: Lookup, asker: Asker): Promise<Lookup | undefined> {
    const current = await this.kept.get();
    if (current !== lookup) return current;
    if (this.kept.isRenewing) return this.kept.renew();
    if (Date.now() < (this.coolUntil.get(asker) ?? 0)) return undefined;
    this.coolUntil.set(asker, Date.now() + COOLDOWN_MS);
    try {
      return await this.kept.renew();
    } catch (error) {
      this.coolUntil.set(asker, Date.now() + RETRY_AFTER_MS);
      throw error;
    }
  }
}

/** Without a `kid` every key that fits the algorithm is tried. */
async function verifiedWith(lookup: Lookup, token: string, options: JWTVerifyOptions) {
  try {
    return await jwtVerify(token, lookup, options);
  } catch (error) {
    if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
    for await (const key of error as AsyncIterable<CryptoKey>) {
      const verified = await jwtVerify(token, key, options).catch((failure: unknown) => {
        if (failure instanceof errors.JWSSignatureVerificationFailed) return undefined;
        throw failure;
      });
      if (verified) return verified;
    }
    throw new errors.JWSSignatureVerificationFailed();
  }
}

/** A key without a name cannot be told from its successor. */
function mayKeyBeNew(error: unknown, token: string): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true;
  return (
    error instanceof errors.JWSSignatureVerificationFailed && decodeProtectedHeader(token).kid === undefined
  );
}
