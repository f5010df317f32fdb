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
import { KeptValue } from '../http/kept-value.js';

type Lookup = ReturnType<typeof createLocalJWKSet>;

/** Whose tokens are verified. Anybody can post a logout token: that must not use up what a sign-in needs. */
export type Asker = 'sign-in' | 'logout';

/** Zitadel lets its keys be kept for five minutes. */
const LIFETIME_MS = 5 * 60_000;

/** How long keys are not fetched again for tokens nobody knows the key of. */
const COOLDOWN_MS = 30_000;
const RETRY_AFTER_MS = 2_000;

/** A key that Zitadel has withdrawn must not be good for ever because its keys cannot be fetched. */
const MAX_STALE_MS = 24 * 60 * 60_000;

/**
 * The provider's public keys (RFC 7517), fetched at first need. A token signed with a key that is not among them has
 * them fetched once more; when that did not help, nobody asks again for a while. What a token's own header says about
 * where keys are (`jku`, `x5u`, `jwk`) counts for nothing.
 */
export class KeySet {
  private readonly kept: KeptValue<Lookup>;
  private readonly cooldowns = new Map<Asker, Cooldown>();

  /** @param fetchKeys throws `IdpUnavailable` when there are none to be had */
  constructor(fetchKeys: () => Promise<JSONWebKeySet>, onRenewalFailed: (error: unknown) => void) {
    this.kept = new KeptValue(async () => createLocalJWKSet(await fetchKeys()), {
      lifetimeMs: LIFETIME_MS,
      retryAfterMs: RETRY_AFTER_MS,
      maxStaleMs: MAX_STALE_MS,
      onRenewalFailed,
    });
  }

  /** Verifies a JWT: its signature here, the rest as jose does. Throws jose's errors and those of `fetchKeys`. */
  async verify(token: string, options: JWTVerifyOptions, asker: Asker): Promise<JWTVerifyResult> {
    const lookup = await this.kept.get();
    try {
      return await verifiedWith(lookup, token, options);
    } catch (error) {
      if (!mayKeyBeNew(error, token)) throw error;
      const verified = await verifiedWith(await this.newerThan(lookup, asker, error), token, options);
      this.cooldowns.delete(asker);
      return verified;
    }
  }

  private async newerThan(lookup: Lookup, asker: Asker, error: unknown): Promise<Lookup> {
    const current = await this.kept.get();
    if (current !== lookup) return current;
    if (this.kept.isRenewing) return this.kept.renew();
    const cooldown = this.cooldowns.get(asker);
    if (cooldown && Date.now() < cooldown.until)
      throw cooldown.failure ?? new KeyNotLookedFor(undefined, { cause: error });
    this.cooldowns.set(asker, { until: Date.now() + COOLDOWN_MS });
    try {
      return await this.kept.renew();
    } catch (thrown) {
      const failure = thrown as Error;
      this.cooldowns.set(asker, { until: Date.now() + RETRY_AFTER_MS, failure });
      throw failure;
    }
  }
}

interface Cooldown {
  until: number;
  /** why the keys could not be fetched when they last were to be */
  failure?: Error;
}

/** Nobody knows the key, and nobody asks for it just now: it may be a new one all the same. */
export class KeyNotLookedFor extends errors.JWKSNoMatchingKey {}

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
