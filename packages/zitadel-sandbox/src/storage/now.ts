/** Seconds since 1970, as tokens count. */
export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
