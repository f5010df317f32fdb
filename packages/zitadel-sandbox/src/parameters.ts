/** The parameters of a query or form body; the last of several values counts, as in Zitadel. */
export function parametersOf(encoded: string): Record<string, string> {
  // no prototype: a parameter may be named as what every object inherits
  const values = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(encoded)) values[name] = value;
  return values;
}

/** False for what a server written in Go refuses to read: a bad escape, a semicolon. */
export function isReadable(encoded: string): boolean {
  return !encoded.includes(';') && !/%(?![0-9a-f]{2})/i.test(encoded);
}
