type Parameters = Record<string, string | undefined>;

/** `uri` with these parameters appended to its query, which is otherwise kept unchanged. */
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

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

/** True when the host of `uri` is a loopback address of this machine. */
export function isLoopbackUri(uri: string): boolean {
  return URL.canParse(uri) && loopbackHosts.includes(new URL(uri).hostname);
}

/**
 * Parses the option `loginOrigin`.
 *
 * @throws Error when it is not an http origin on a loopback address
 */
export function parseLoginOrigin(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'http:' && url.pathname === '/' && !url.search && isLoopbackUri(value)) return url;
  throw new Error(
    'loginOrigin: expected an http origin on a loopback address, such as http://127.0.0.1:8081',
  );
}
