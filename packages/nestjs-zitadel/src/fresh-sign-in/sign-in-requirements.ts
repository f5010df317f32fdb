import type { RefusalFacts } from '@mridang/nestjs-auth';
import type { Reflector } from '@nestjs/core';

/** Metadata keys of `@RequireFreshSignIn()` and `@RequireFactors()`. */
export const MAX_AGE_KEY = Symbol.for('@mridang/nestjs-zitadel:maxAge');
export const FACTORS_KEY = Symbol.for('@mridang/nestjs-zitadel:factors');

/** What a route asks of the sign-in of its caller. */
export interface SignInRequirements {
  maxAgeSeconds: number | undefined;
  /** authentication methods (RFC 8176), all of which are required */
  factors: readonly string[];
}

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
