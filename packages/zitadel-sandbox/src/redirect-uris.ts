import type { Application } from './clients.js';
import { isThisMachine } from './loopback.js';
import { globPattern } from './uri-glob.js';

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
  if (application.applicationType === 'native') return isThisMachine(uri);
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
  if (!one || !other || one.protocol !== 'http:' || !isThisMachine(registered) || !isThisMachine(uri)) {
    return false;
  }
  one.host = other.host;
  one.port = other.port;
  return one.href === other.href;
}
