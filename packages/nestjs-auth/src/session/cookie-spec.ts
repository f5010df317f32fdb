/** One cookie of an application: its name and attributes. */
export interface CookieSpec {
  name: string;
  options: { httpOnly: true; sameSite: 'lax'; path: string; secure: boolean };
}

/**
 * The cookie of an application at `origin` whose name begins with `name`. On an https origin it is `Secure`, and no other host can
 * set one of that name (`__Host-`). A host that has other applications beside this one is another case: below `mountPath` the
 * cookie is for that path alone, which a `__Host-` cookie cannot be, and so it is named `__Secure-` (RFC 6265bis 4.1.3).
 *
 * @param mountPath as in `/base`; an empty string where the application has the host for itself
 */
export function cookieSpec(name: string, origin: string, mountPath = ''): CookieSpec {
  const secure = new URL(origin).protocol === 'https:';
  const lock = mountPath ? '__Secure-' : '__Host-';
  return {
    // The path is in the name, too: browsers send the cookies of the root to every path (RFC 6265 5.4).
    name: `${secure ? lock : ''}${name}${mountPath.replaceAll('/', '-')}`,
    options: { httpOnly: true, sameSite: 'lax', path: mountPath || '/', secure },
  };
}
