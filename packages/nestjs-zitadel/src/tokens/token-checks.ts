/** Allowed difference between the clocks of this machine and of Zitadel, in either direction: one number for every comparison. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** The validation of a token failed. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault';
}

/** @throws `TokenFault` with `reason` unless `condition` holds */
export function refuseUnless(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new TokenFault(reason);
}
