import { decodeJwt } from 'jose';
import type { Call, Endpoint } from '../call.js';
import type { Application } from '../clients.js';
import { OidcError } from '../oidc.error.js';
import { logoutPath } from '../pages/paths.js';
import type { Session } from '../provider.js';
import type { Realm } from '../realm.js';
import { redirect } from '../redirect.js';
import { isPostLogoutRedirectUriOf } from '../redirect-uris.js';
import { withQuery } from '../with-query.js';

type Parameters = Call['params'];

/** Where people end up whom no application awaits: the page of Login V1, and the address that Login V2 would have. */
export const signedOutV1Path = '/ui/login/logout/done';
const signedOutPath = '/logout/done';

interface Hint {
  clientId: string;
  sid: string | undefined;
}

/**
 * `GET|POST /oidc/v1/end_session`. With a valid hint (an expired one is fine) the session ends here. Without one the
 * person chooses on the page of Login V2 if the instance requires it, else all sessions of Login V1 in this browser
 * end (Zitadel: session.go, auth_request.go).
 */
export const endSession: Endpoint = async ({ ctx, params }, realm) => {
  const hint = await hintFrom(params['id_token_hint'], realm);
  const application = requestingApplication(hint, params['client_id'], realm);
  const target = targetOf(params, application);
  if (!hint && realm.features.loginV2Required) {
    redirect(ctx, await logoutPageUrl(forLoginV2(target), params, realm));
    return;
  }
  const sids = hint ? await sidsBehind(hint, realm) : await sidsOf(realm.sessions.of(ctx, 1));
  for (const sid of sids) await endAndTell(sid, realm);
  redirect(ctx, hint && !isOfLoginV1(hint) ? forLoginV2(target) : target);
};

// the session of a V1 login takes all others of the browser with it (zitadel#8501)
async function sidsBehind(hint: Hint, realm: Realm): Promise<string[]> {
  if (hint.sid === undefined) return [];
  return isOfLoginV1(hint) ? sidsOf(realm.sessions.besides(hint.sid)) : [hint.sid];
}

function isOfLoginV1({ sid }: Hint): boolean {
  return sid?.startsWith('V1_') ?? false;
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
  if (issuerIn(idToken) !== realm.issuer) throw new OidcError('invalid_request', 'id_token_hint invalid');
  if (!realm.keys.isKeyOf(idToken)) throw new OidcError('invalid_request', 'Errors.WebKey.NotFound', 404);
  const claims = await realm.keys.claimsOf(idToken);
  if (!claims) throw new OidcError('server_error', 'Errors.Internal', 500);
  const { azp, sid } = claims as Partial<Record<string, string>>;
  // what has no azp is another kind of token
  if (azp === undefined) throw new OidcError('invalid_request', 'id_token_hint invalid');
  return { clientId: azp, sid };
}

function issuerIn(jwt: string): string | undefined {
  try {
    return decodeJwt(jwt).iss;
  } catch {
    return undefined;
  }
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
  const application = realm.applications.oidcClient(known);
  if (known && !application) throw new OidcError('invalid_request', 'Errors.App.NotFound');
  return application;
}

function targetOf(params: Parameters, application: Application | undefined): string {
  const uri = params['post_logout_redirect_uri'];
  if (!uri || !application) return withState(signedOutV1Path, params['state']);
  if (!isPostLogoutRedirectUriOf(application, uri)) {
    throw new OidcError('invalid_request', 'post_logout_redirect_uri invalid');
  }
  return withState(uri, params['state']);
}

// only the bare default is put right, not one with a state
function forLoginV2(target: string): string {
  return target === signedOutV1Path ? signedOutPath : target;
}

function withState(uri: string, state: string | undefined): string {
  return withQuery(uri, { state: state === '' ? undefined : state });
}

async function logoutPageUrl(target: string, params: Parameters, realm: Realm): Promise<string> {
  const wishes = {
    ...(params['logout_hint'] && { logout_hint: params['logout_hint'] }),
    ...(params['ui_locales'] && { ui_locales: params['ui_locales'] }),
  };
  // what the page may redirect to, so that nobody can send people elsewhere with it
  const logoutToken = await realm.keys.sign({ post_logout_redirect_uri: target, ...wishes });
  const query = new URLSearchParams({ logout_token: logoutToken, post_logout_redirect: target, ...wishes });
  query.sort();
  return `${realm.loginOrigin}${logoutPath}?${query.toString()}`;
}
