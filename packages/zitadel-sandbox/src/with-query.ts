type Parameters = Record<string, string | undefined>;

/** `uri` with these parameters after what its query says already, which stays as it is. */
export function withQuery(uri: string, parameters: Parameters): string {
  const added = encoded(parameters);
  if (added === '') return uri;
  const [address = '', ...fragment] = uri.split('#');
  const before = `${address}${address.includes('?') ? '&' : '?'}${added}`;
  return [before, ...fragment].join('#');
}

/** `uri` with these parameters as its fragment. */
export function withFragment(uri: string, parameters: Parameters): string {
  return `${uri}#${encoded(parameters)}`;
}

function encoded(parameters: Parameters): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return new URLSearchParams(given).toString();
}
