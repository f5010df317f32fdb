/** Name and attributes of a cookie. */
export interface CookieSpec {
  name: string;
  /** name in versions that had no port in it: still read. `undefined` where the name is the same */
  formerName: string | undefined;
  options: { httpOnly: true; sameSite: 'lax'; path: string; secure: boolean };
}

/**
 * Returns the specification of a cookie of the application at `origin`. Browsers store cookies by host (RFC 6265 8.5): a port other than
 * the default is part of the name, so that applications on one host do not overwrite each other's cookies. On an https origin the cookie
 * is `Secure`, and no other host can set it (`__Host-`). With `mountPath` the cookie is limited to that path, which a `__Host-` cookie
 * cannot be, and is named `__Secure-` (RFC 6265bis 4.1.3).
 *
 * @param mountPath as in `/base`; empty where the application is at the root of the origin
 */
export function cookieSpec(name: string, origin: string, mountPath: string): CookieSpec {
  const { protocol, port } = new URL(origin);
  const secure = protocol === 'https:';
  const locked = `${secure ? (mountPath ? '__Secure-' : '__Host-') : ''}${name}`;
  // The path is part of the name, too: browsers send the cookies of the root to every path (RFC 6265 5.4).
  const place = `${port && `-${port}`}${mountPath.replaceAll('/', '-')}`;
  return {
    name: locked + place,
    formerName: port && !mountPath ? locked : undefined,
    options: { httpOnly: true, sameSite: 'lax', path: mountPath || '/', secure },
  };
}
