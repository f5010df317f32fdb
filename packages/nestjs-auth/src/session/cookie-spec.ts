/** One cookie of an application: its name and attributes. */
export interface CookieSpec {
  name: string;
  /** of its kind from versions whose names said nothing of the port; they are read still. `undefined` where it is the same name */
  formerName: string | undefined;
  options: { httpOnly: true; sameSite: 'lax'; path: string; secure: boolean };
}

/**
 * The cookie of an application at `origin` whose name begins with `name`. Browsers keep cookies by host (RFC 6265 8.5): a port that
 * is not the usual one is in the name, so that applications of one host do not take each other's. On an https origin it is `Secure`,
 * and no other host can set one of that name (`__Host-`). Below `mountPath` the cookie is for that path alone, which a `__Host-` cookie
 * cannot be, and so it is named `__Secure-` (RFC 6265bis 4.1.3).
 *
 * @param mountPath as in `/base`; an empty string where the application has the origin for itself
 */
export function cookieSpec(name: string, origin: string, mountPath: string): CookieSpec {
  const { protocol, port } = new URL(origin);
  const secure = protocol === 'https:';
  const locked = `${secure ? (mountPath ? '__Secure-' : '__Host-') : ''}${name}`;
  // The path, too: browsers send the cookies of the root to every path (RFC 6265 5.4).
  const place = `${port && `-${port}`}${mountPath.replaceAll('/', '-')}`;
  return {
    name: locked + place,
    formerName: port && !mountPath ? locked : undefined,
    options: { httpOnly: true, sameSite: 'lax', path: mountPath || '/', secure },
  };
}
