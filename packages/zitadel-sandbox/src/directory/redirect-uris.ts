import { isLoopbackUri } from '../http/uris.js';
import type { Application } from './applications.js';

/** Exact match; a native app's loopback URI may have any port and name of this machine; globs with Dev Mode on (Zitadel: "Redirect URIs"). */
export function isRedirectUriOf(application: Application, uri: string): boolean {
  const { redirectUris, devMode, applicationType } = application;
  if (!isUsable(uri)) return false;
  return redirectUris.some(
    (registered) =>
      registered === uri ||
      (devMode && globPattern(registered, { doubleStar: true }).test(uri)) ||
      (applicationType === 'native' && differOnlyInLoopbackHost(registered, uri)),
  );
}

/** Plain http needs Dev Mode, the code flow of a web application, or a native application's loopback address. */
export function isSchemeAllowed(application: Application, uri: string, responseType: string): boolean {
  if (!uri.startsWith('http://') || application.devMode) return true;
  if (application.applicationType === 'native') return isLoopbackUri(uri);
  return application.applicationType === 'web' && responseType === 'code';
}

/** Exact match; globs without `**` with Dev Mode on. */
export function isPostLogoutRedirectUriOf(
  { postLogoutRedirectUris, devMode }: Application,
  uri: string,
): boolean {
  if (!isUsable(uri)) return false;
  return postLogoutRedirectUris.some(
    (registered) =>
      registered === uri || (devMode && globPattern(registered, { doubleStar: false }).test(uri)),
  );
}

// a glob may match what no browser could be sent to; URL itself overlooks white space and line ends
function isUsable(uri: string): boolean {
  return URL.canParse(uri) && !/[\s\p{Cc}]/u.test(uri);
}

function differOnlyInLoopbackHost(registered: string, uri: string): boolean {
  const [one, other] = [registered, uri].map((value) => (URL.canParse(value) ? new URL(value) : undefined));
  if (!one || !other || one.protocol !== 'http:' || !isLoopbackUri(registered) || !isLoopbackUri(uri)) {
    return false;
  }
  one.host = other.host;
  one.port = other.port;
  return one.href === other.href;
}

/**
 * A pattern for Zitadel's Dev Mode globs: `*` and `?` stop at `/`, `**` (with `doubleStar`) does not,
 * `[abc]` is one of these characters, `{a,b}` one of these words.
 */
export function globPattern(glob: string, { doubleStar }: { doubleStar: boolean }): RegExp {
  let source = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const rest = glob.slice(at);
    const set = /^\[[^\]/]+\]/.exec(rest)?.[0];
    if (doubleStar && rest.startsWith('**')) {
      source += '.*';
      at += 1;
    } else if (rest.startsWith('*')) source += '[^/]*';
    else if (rest.startsWith('?')) source += '[^/]';
    else if (set) {
      source += set.replace(/^\[[!^]/, '[^').replaceAll('\\', '\\\\');
      at += set.length - 1;
    } else if (doubleStar && rest.startsWith('{')) {
      source += '(?:';
      depth += 1;
    } else if (depth > 0 && rest.startsWith('}')) {
      source += ')';
      depth -= 1;
    } else if (depth > 0 && rest.startsWith(',')) source += '|';
    else source += rest.charAt(0).replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  }
  return depth === 0 ? new RegExp(`^${source}$`) : /(?!)/;
}
