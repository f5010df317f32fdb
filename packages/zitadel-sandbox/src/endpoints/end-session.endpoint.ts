import type { Call, Endpoint } from '../call.js';
import type { Application } from '../clients.js';
import { loginVersionOf } from '../login-version.js';
import { nowSeconds } from '../now.js';
import { OidcError } from '../oidc.error.js';
import { logoutPath } from '../pages/paths.js';
import type { Session } from '../provider.js';
import type { Realm } from '../realm.js';
import { isPostLogoutRedirectUriOf } from '../redirect-uris.js';
import { withQuery } from '../with-query.js';

type Parameters = Call['params'];

/** Where the login UI leaves people whom no application awaits. */
export const signedOutPath = '/logout/done';
export const signedOutV1Path = '/ui/login/logout/done';
const logoutTokenLifetimeSeconds = 600;

interface Hint {
  clientId: string;
  sid: string | undefined;
}

/**
 * `GET|POST /oidc/v1/end_session`. With a valid hint (an expired one is fine) the session ends here. With a
 * client_id alone the person chooses on the page of Login V2, while Login V1 ends all sessions of the browser
 * (Zitadel: session.go, auth_request.go).
 */
export const endSession: Endpoint = async ({ ctx, params }, realm) => {
  const hint = await hintFrom(params['id_token_hint'], realm);
  const application = requestingApplication(hint, params['client_id'], realm);
  const target = targetOf(params, application, realm);
  if (!hint && application && loginVersionOf(realm, application) === 2) {
    ctx.redirect(await logoutPageUrl(target, params, realm));
    return;
  }
  const sids = hint
    ? await sidsBehind(hint, realm)
    : application
      ? await sidsOf(realm.sessions.of(ctx, 1))
      : [];
  for (const sid of sids) await endAndTell(sid, realm);
  ctx.redirect(target);
};

// the session of a V1 login takes all others of the browser with it (zitadel#8501)
async function sidsBehind({ sid }: Hint, realm: Realm): Promise<string[]> {
  if (sid === undefined) return [];
  return sid.startsWith('V1_') ? sidsOf(realm.sessions.besides(sid)) : [sid];
}

async function sidsOf(sessions: Promise<Session[]>): Promise<string[]> {
  return (await sessions).map(({ jti }) => jti);
}

/** Ends the session and tells the applications that took part in it. */
export async function endAndTell(sid: string, realm: Realm): Promise<void> {
  const ended = await realm.sessions.end(sid);
  if (ended) realm.backChannel.notify(sid, ended.session.accountId ?? '', ended.clientIds);
}

async function hintFrom(idToken: string | undefined, realm: Realm): Promise<Hint | undefined> {
  if (!idToken) return undefined;
  const claims = await realm.keys.claimsOf(idToken);
  // these keys sign for no other issuer; what has no azp is another kind of token
  const { azp, sid } = (claims ?? {}) as Partial<Record<string, string>>;
  if (azp === undefined) throw new OidcError('invalid_request', 'id_token_hint invalid');
  return { clientId: azp, sid };
}

function requestingApplication(
  hint: Hint | undefined,
  clientId: string | undefined,
  realm: Realm,
): Application | undefined {
  if (hint && clientId && clientId !== hint.clientId) {
    throw new OidcError('invalid_request', 'client_id does not match azp of id_token_hint');
  }
  const known = hint?.clientId ?? clientId;
  const application = realm.applications.byClientId(known);
  if (known && !application) throw new OidcError('invalid_request', 'Errors.App.NotFound');
  return application;
}

function targetOf(params: Parameters, application: Application | undefined, realm: Realm): string {
  const uri = params['post_logout_redirect_uri'];
  if (!uri || !application) {
    // without an application the instance decides on the login UI: here what the web app is set to
    const loginVersion = loginVersionOf(realm, application ?? realm.applications.web);
    return withState(loginVersion === 1 ? signedOutV1Path : signedOutPath, params['state']);
  }
  if (!isPostLogoutRedirectUriOf(application, uri)) {
    throw new OidcError('invalid_request', 'post_logout_redirect_uri invalid');
  }
  return withState(uri, params['state']);
}

function withState(uri: string, state: string | undefined): string {
  return withQuery(uri, { state: state === '' ? undefined : state });
}

async function logoutPageUrl(target: string, params: Parameters, realm: Realm): Promise<string> {
  const query = new URLSearchParams({ post_logout_redirect: target });
  if (params['logout_hint']) query.set('logout_hint', params['logout_hint']);
  if (params['ui_locales']) query.set('ui_locales', params['ui_locales']);
  const now = nowSeconds();
  // what the page may redirect to, so that nobody can send people elsewhere with it
  const logoutToken = await realm.keys.sign({
    iss: realm.issuer,
    iat: now,
    exp: now + logoutTokenLifetimeSeconds,
    post_logout_redirect_uri: target,
  });
  query.set('logout_token', logoutToken);
  return `${realm.loginOrigin}${logoutPath}?${query.toString()}`;
}
