import { randomUUID, type KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ApiKey } from './api-key.js';
import { CLOCK_TOLERANCE_SECONDS } from './token-checks.js';

const LIFETIME_SECONDS = 300;

/** Maximum age of a cached assertion: far below its lifetime, for the request time and for clock differences. */
const MAX_AGE_SECONDS = 60;

/** Zitadel refuses an `iat` that is two seconds in its future, and the clock here may be ahead. */
const BACKDATED_SECONDS = CLOCK_TOLERANCE_SECONDS + 5;

/**
 * Signs client assertions (private_key_jwt, RFC 7523 3, OpenID Connect Core 9). Zitadel requires the issuer as audience. An assertion is
 * cached for a minute, since a signature takes a millisecond of CPU time.
 */
export class ClientAssertion {
  private cached: Promise<string> | undefined;
  private signedAt = 0;

  constructor(
    private readonly key: ApiKey,
    private readonly issuer: string,
  ) {}

  get(): Promise<string> {
    const age = Date.now() - this.signedAt;
    // A negative age: the clock was set back.
    if (this.cached && age >= 0 && age < MAX_AGE_SECONDS * 1000) return this.cached;
    const assertion = this.sign();
    this.signedAt = Date.now();
    this.cached = assertion;
    assertion.catch(() => this.invalidate(assertion));
    return assertion;
  }

  /** Removes a failed or refused assertion from the cache: the next request gets a new one. */
  invalidate(assertion: Promise<string>) {
    if (this.cached === assertion) this.cached = undefined;
  }

  private sign(): Promise<string> {
    const { clientId, keyId, privateKey } = this.key;
    return signAssertion({ subject: clientId, keyId, privateKey }, this.issuer);
  }
}

/** The key of an application, or of a service user, and its ID. */
export interface AssertionKey {
  /** `iss` and `sub`: client ID, or user ID */
  subject: string;
  keyId: string;
  privateKey: KeyObject;
}

/**
 * Signs an assertion for `issuer` (RFC 7523 2).
 *
 * @param clockAheadSeconds seconds that the clock of this machine is ahead of the issuer's
 */
export function signAssertion(
  { subject, keyId, privateKey }: AssertionKey,
  issuer: string,
  clockAheadSeconds = 0,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000 - clockAheadSeconds) - BACKDATED_SECONDS;
  return new SignJWT()
    .setProtectedHeader({ alg: 'RS256', kid: keyId, typ: 'JWT' })
    .setIssuer(subject)
    .setSubject(subject)
    .setAudience(issuer)
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME_SECONDS)
    .setJti(randomUUID())
    .sign(privateKey);
}
