/** The parameters of a query or form body; the first of several values counts. */
export function firstValues(encoded: string): Record<string, string> {
  // no prototype: a parameter may be named as what every object inherits
  const values = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URLSearchParams(encoded)) values[name] ??= value;
  return values;
}
