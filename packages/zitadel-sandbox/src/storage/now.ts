/** The current time as a NumericDate (RFC 7519 section 2): whole seconds since 1970. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
