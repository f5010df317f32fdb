/**
 * Returns path, query and fragment of `target` when it is on `origin`, else `undefined`.
 * Refuses other origins, `//host`, `/\host`, `/.//host`, userinfo and control characters (CWE-601).
 *
 * @param mountPath path that `target` must be below, as in `/base`: other paths of the origin belong to other applications
 */
export function localPath(target: unknown, origin: string, mountPath = ''): string | undefined {
  // eslint-disable-next-line no-control-regex -- browsers remove control characters from addresses
  if (typeof target !== 'string' || /[\u0000-\u0020\u007f\\]/.test(target)) return undefined;
  if (!target.startsWith('/') && !/^https?:\/\//i.test(target)) return undefined;
  if (!URL.canParse(target, origin)) return undefined;
  const url = new URL(target, origin);
  if (url.origin !== new URL(origin).origin || url.username || url.password) return undefined;
  const isBelow = url.pathname === mountPath || url.pathname.startsWith(`${mountPath}/`);
  return !isBelow || url.pathname.startsWith('//') ? undefined : url.pathname + url.search + url.hash;
}

/** Whether `path` is empty, or a path such as `/base`, with a slash at its beginning and none at its end. */
export const isMountPath = (path: string): boolean => /^(\/[\w~-][\w.~-]*)*$/.test(path);

/** Returns the path of `url` without the mount path, which it has to begin with; not twice: a proxy may take it off or not. */
export function pathBelow(mountPath: string, url: string): string | undefined {
  const { pathname } = new URL(url);
  const path = pathname.slice(mountPath.length);
  const isTwice = mountPath !== '' && path.startsWith(`${mountPath}/`);
  return pathname.startsWith(`${mountPath}/`) && !isTwice ? path : undefined;
}
