/** A token is not accepted. */
export class TokenFault extends Error {
  override readonly name = 'TokenFault';
}

/** @throws TokenFault */
export function refuseUnless(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new TokenFault(reason);
}
