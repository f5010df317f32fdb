import { isLoopbackUri } from '../http/uris.js';
import type { Application } from './applications.js';

/** True when `uri` equals a registered redirect URI or, with Dev Mode, matches its glob. The loopback URI of a native app
 * may have any port and loopback host (RFC 8252 section 7.3). */
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

/** Allows http only with Dev Mode, for the code flow of a web application and for the loopback URI of a native one. */
export function isSchemeAllowed(application: Application, uri: string, responseType: string): boolean {
  if (!uri.startsWith('http://') || application.devMode) return true;
  if (application.applicationType === 'native') return isLoopbackUri(uri);
  return application.applicationType === 'web' && responseType === 'code';
}

/** True when `uri` equals a registered URI or, with Dev Mode, matches its glob, in which `**` has no meaning. */
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

// a glob may match an invalid URI; `URL.canParse` ignores white space and line breaks
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
 * The regular expression of a Dev Mode glob: `*` and `?` do not match `/`, `**` (with `doubleStar`) does,
 * `[abc]` matches one of the characters and `{a,b}` one of the words.
 */
function globPattern(glob: string, { doubleStar }: { doubleStar: boolean }): RegExp {
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
