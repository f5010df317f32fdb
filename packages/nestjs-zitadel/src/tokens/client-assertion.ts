import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { ApiKey } from './api-key.js';
import { CLOCK_TOLERANCE_SECONDS } from './clock-tolerance.js';

const LIFETIME_SECONDS = 300;

/** An assertion is not used beyond this age: it has to outlive the way to Zitadel, and clocks differ. */
const USED_SECONDS = 60;

/** Zitadel refuses what was issued two seconds after its own time, and this clock may be ahead of it. */
const BACKDATED_SECONDS = CLOCK_TOLERANCE_SECONDS + 5;

/**
 * Says who calls, signed (private_key_jwt, RFC 7523 3, OpenID Connect Core 9). Zitadel wants the issuer itself as audience.
 * Signing takes a millisecond, so an assertion serves a minute.
 */
export class ClientAssertion {
  private current: Promise<string> | undefined;
  private signedAt = 0;

  constructor(
    private readonly key: ApiKey,
    private readonly issuer: string,
  ) {}

  get(): Promise<string> {
    const age = Date.now() - this.signedAt;
    // A clock that was set back makes it one of the future.
    if (this.current && age >= 0 && age < USED_SECONDS * 1000) return this.current;
    const signed = this.signed();
    this.signedAt = Date.now();
    this.current = signed;
    signed.catch(() => this.forget(signed));
    return signed;
  }

  /** What `get` gave is of no use: whoever asks next gets another. */
  forget(assertion: Promise<string>) {
    if (this.current === assertion) this.current = undefined;
  }

  private signed(): Promise<string> {
    const now = Math.floor(Date.now() / 1000) - BACKDATED_SECONDS;
    const { clientId, keyId, privateKey } = this.key;
    return new SignJWT()
      .setProtectedHeader({ alg: 'RS256', kid: keyId, typ: 'JWT' })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(this.issuer)
      .setIssuedAt(now)
      .setExpirationTime(now + LIFETIME_SECONDS)
      .setJti(randomUUID())
      .sign(privateKey);
  }
}
