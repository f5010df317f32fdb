import type { Application } from './clients.js';
import { isThisMachine } from './loopback.js';
import { globPattern } from './uri-glob.js';

/** Exact match; a native app's loopback URI may have any port; globs with Dev Mode on (Zitadel: "Redirect URIs"). */
export function isRedirectUriOf(application: Application, uri: string): boolean {
  const { redirectUris, devMode, applicationType } = application;
  return redirectUris.some(
    (registered) =>
      registered === uri ||
      (devMode && globPattern(registered, { doubleStar: true }).test(uri)) ||
      (applicationType === 'native' && differOnlyInLoopbackPort(registered, uri)),
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
  return postLogoutRedirectUris.some(
    (registered) =>
      registered === uri || (devMode && globPattern(registered, { doubleStar: false }).test(uri)),
  );
}

function differOnlyInLoopbackPort(registered: string, uri: string): boolean {
  const [one, other] = [registered, uri].map((value) => (URL.canParse(value) ? new URL(value) : undefined));
  if (!one || !other || one.protocol !== 'http:' || !isThisMachine(registered)) return false;
  one.port = other.port;
  return one.href === other.href;
}

/** `uri` with these parameters added to its query. */
export function withQuery(uri: string, parameters: Record<string, string | undefined>): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
