/** Whether a token answer is about a bearer token, in whatever letters (RFC 6749 5.1, 7.1). */
export const isBearer = ({ token_type: type }: Record<string, unknown>): boolean =>
  typeof type === 'string' && type.toLowerCase() === 'bearer';
