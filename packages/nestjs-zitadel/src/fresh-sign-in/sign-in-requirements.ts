import type { AuthUser, RefusalFacts, SessionToken } from '@mridang/nestjs-auth';
import type { Reflector } from '@nestjs/core';
import { claimsIn } from '../claims/claims.js';

/** Metadata keys of `@RequireFreshSignIn()` and `@RequireFactors()`. */
export const MAX_AGE_KEY = Symbol.for('@mridang/nestjs-zitadel:maxAge');
export const FACTORS_KEY = Symbol.for('@mridang/nestjs-zitadel:factors');

/** What a route asks of the sign-in of its caller. */
export interface SignInRequirements {
  maxAgeSeconds: number | undefined;
  /** authentication methods (RFC 8176), all of which are required */
  factors: readonly string[];
}

/** Below the global prefix of the application. */
export const FRESH_SIGN_IN_PATH = 'auth/fresh-sign-in';

/** A name of `amr` (RFC 8176 2). */
export const METHOD = /^[a-z\d]{1,32}$/i;

/** For rounded times, and for the time between the login and the ID token… */
const TOLERANCE_SECONDS = 5;
/** …and for the way back to the page: a sign-in that was accepted counts there. */
const WAY_BACK_SECONDS = 5;

/** Whether a login of that age, when the ID token was issued, can meet `maxAgeSeconds`. The age is unknown without `auth_time`. */
export const isRecentLogin = (ageSeconds: number | undefined, maxAgeSeconds: number): boolean =>
  ageSeconds !== undefined && ageSeconds <= maxAgeSeconds + TOLERANCE_SECONDS;

/** Seconds since the login, by the clock of this machine, which may differ from that of Zitadel; `Infinity` where that is not known. */
export const signInAgeOf = ({ start = -Infinity, loginAge = Infinity }: SessionToken) =>
  Date.now() / 1000 - start + loginAge;

export function meets(
  token: SessionToken,
  { maxAgeSeconds = Infinity, factors }: SignInRequirements,
): boolean {
  const isYoung =
    maxAgeSeconds === Infinity || isRecentLogin(signInAgeOf(token) - WAY_BACK_SECONDS, maxAgeSeconds);
  const amr = factors.length > 0 && claimsIn(token.idToken)['amr'];
  return isYoung && missingFactor(factors, amr) === undefined;
}

/** The fields of a sign-in that asks the same user again. */
export const signInFields = (user: AuthUser, { maxAgeSeconds, factors }: SignInRequirements) => ({
  prompt: 'login',
  max_age: maxAgeSeconds?.toString(),
  maxAge: maxAgeSeconds?.toString(),
  login_hint: user.username,
  subject: user.id,
  factors: factors.join(' '),
  activeOrganization: user.activeOrganization?.id,
});

/**
 * Returns the address of a sign-in that asks the signed-in user again, and leads back.
 *
 * @param basePath of the application and its global prefix, as in `/base`
 * @param callbackUrl page after the sign-in
 */
export function freshSignInUrl(
  basePath: string,
  { maxAgeSeconds, factors }: SignInRequirements,
  callbackUrl: string | undefined,
): string {
  const query = new URLSearchParams({
    ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
    ...(factors.length > 0 ? { factors: factors.join(' ') } : {}),
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
  });
  return `${basePath}/${FRESH_SIGN_IN_PATH}?${query.toString()}`;
}

/**
 * Returns what a challenge `insufficient_user_authentication` requires (RFC 9470 3); `undefined` for another one. The API of this package
 * names factors in its description.
 *
 * @param challenge `WWW-Authenticate`
 */
export function requiredSignIn(challenge: string | null): SignInRequirements | undefined {
  if (!challenge?.includes('error="insufficient_user_authentication"')) return undefined;
  const maxAge = /\bmax_age="?(\d{1,9})\b/.exec(challenge)?.[1];
  const factors = /\blogin with: ([a-z\d, ]+)"/i.exec(challenge)?.[1] ?? '';
  return requirementsIn({ max_age: maxAge, factors: factors.replaceAll(',', '') });
}

/** Reads these parameters. Invalid ones are ignored: the page behind the sign-in has requirements of its own. */
export const requirementsIn = ({
  max_age: maxAge,
  factors,
}: Record<string, unknown>): SignInRequirements => ({
  maxAgeSeconds: typeof maxAge === 'string' && /^\d{1,9}$/.test(maxAge) ? Number(maxAge) : undefined,
  factors: typeof factors === 'string' ? factors.split(' ').filter((one) => METHOD.test(one)) : [],
});

/** Reads the metadata of a route. A rule of a method replaces that of its class. */
export const requirementsFrom = (
  reflector: Reflector,
  targets: Parameters<Reflector['getAllAndOverride']>[1],
): SignInRequirements => ({
  maxAgeSeconds: reflector.getAllAndOverride<number | undefined>(MAX_AGE_KEY, targets),
  factors: reflector.getAllAndOverride<string[] | undefined>(FACTORS_KEY, targets) ?? [],
});

/** The requirements as facts of a refusal. */
export const signInFacts = ({ maxAgeSeconds, factors }: SignInRequirements): RefusalFacts => ({
  signInAgeSeconds: maxAgeSeconds,
  factors: factors.length > 0 ? factors : undefined,
});

/** Returns the authentication methods in `amr`, the claim of an ID token or an introspection response. */
export const factorsIn = (amr: unknown): string[] => (Array.isArray(amr) ? amr.map(String) : []);

/** Returns the first required method that is not in `amr`. */
export const missingFactor = (required: readonly string[], amr: unknown): string | undefined =>
  required.find((factor) => !factorsIn(amr).includes(factor));
