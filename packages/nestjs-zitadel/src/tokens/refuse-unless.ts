/** Throws with the reason why a token is not accepted. */
export function refuseUnless(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new TypeError(reason);
}
