import type { Call, Endpoint } from '../call.js';
import type { Application } from '../clients.js';
import { nowSeconds } from '../ids.js';
import { OidcError } from '../oidc.error.js';
import type { Realm } from '../realm.js';
import { isPostLogoutRedirectUriOf } from '../redirect-uris.js';

type Parameters = Call['params'];

/** Where Login V2 leaves people whom no application awaits. */
export const signedOutPath = '/logout/done';
const logoutTokenLifetimeSeconds = 600;

interface Hint {
  clientId: string | undefined;
  sid: string | undefined;
}

/**
 * `GET|POST /oidc/v1/end_session`. With a valid hint (an expired one is fine) the session ends here; with a
 * client_id alone the person chooses on the login UI's page (Zitadel: session.go, Login V2).
 */
export const endSession: Endpoint = async ({ ctx, params }, realm) => {
  const hint = await hintFrom(params['id_token_hint'], realm);
  const clientId = requestingClient(hint, params['client_id']);
  const target = targetOf(params, realm.applications.byClientId(clientId));
  if (hint) {
    if (hint.sid !== undefined) await endAndTell(hint.sid, realm);
    ctx.redirect(target);
    return;
  }
  ctx.redirect(clientId === undefined ? target : await logoutPage(target, params, realm));
};

/** Ends the session and tells the applications that took part in it. */
export async function endAndTell(sid: string, realm: Realm): Promise<void> {
  const ended = await realm.sessions.end(sid);
  if (ended) realm.backChannel.notify(sid, ended.session.accountId ?? '', ended.clientIds);
}

async function hintFrom(idToken: string | undefined, realm: Realm): Promise<Hint | undefined> {
  if (!idToken) return undefined;
  const claims = await realm.keys.claimsOf(idToken);
  if (claims?.['iss'] !== realm.issuer) throw new OidcError('invalid_request', 'id_token_hint invalid');
  return { clientId: text(claims['azp']), sid: text(claims['sid']) };
}

function text(claim: unknown): string | undefined {
  return typeof claim === 'string' ? claim : undefined;
}

function requestingClient(hint: Hint | undefined, clientId: string | undefined): string | undefined {
  if (!hint) return clientId;
  if (clientId && clientId !== hint.clientId) {
    throw new OidcError('invalid_request', 'client_id does not match azp of id_token_hint');
  }
  return hint.clientId;
}

function targetOf(params: Parameters, application: Application | undefined): string {
  const uri = params['post_logout_redirect_uri'];
  if (!uri || !application) return withState(signedOutPath, params['state']);
  if (!isPostLogoutRedirectUriOf(application, uri)) {
    throw new OidcError('invalid_request', 'post_logout_redirect_uri invalid');
  }
  return withState(uri, params['state']);
}

function withState(uri: string, state: string | undefined): string {
  if (!state) return uri;
  return `${uri}${uri.includes('?') ? '&' : '?'}${new URLSearchParams({ state }).toString()}`;
}

async function logoutPage(target: string, params: Parameters, realm: Realm): Promise<string> {
  const query = new URLSearchParams({ post_logout_redirect: target });
  if (params['logout_hint']) query.set('logout_hint', params['logout_hint']);
  if (params['ui_locales']) query.set('ui_locales', params['ui_locales']);
  const now = nowSeconds();
  // what the page may redirect to, so that nobody can send people elsewhere with it
  const logoutToken = await realm.keys.sign({
    iss: realm.issuer,
    iat: now,
    exp: now + logoutTokenLifetimeSeconds,
    post_logout_redirect: target,
  });
  query.set('logout_token', logoutToken);
  return `/ui/v2/login/logout?${query.toString()}`;
}
