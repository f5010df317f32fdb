/** Allowed difference between the clocks of this machine and of Zitadel, in either direction: one number for every comparison. */
export const CLOCK_TOLERANCE_SECONDS = 60;

/** The end of sessions for a cause at `time` (seconds since 1970): with that tolerance, and never in the future. */
export const endTimeOf = (time: number): number =>
  Math.min(time + CLOCK_TOLERANCE_SECONDS, Date.now() / 1000);

/** The validation of a token failed. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault';
}

/** @throws `TokenFault` with `reason` unless `condition` holds */
export function refuseUnless(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new TokenFault(reason);
}
