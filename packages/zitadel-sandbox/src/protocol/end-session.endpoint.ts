import { decodeJwt } from 'jose';
import type { Application } from '../directory/applications.js';
import { isPostLogoutRedirectUriOf } from '../directory/redirect-uris.js';
import { redirect } from '../http/answers.js';
import type { Call } from '../http/call.js';
import { OidcError } from '../http/oidc.error.js';
import { withQuery } from '../http/uris.js';
import type { Endpoint, Instance } from '../instance/instance.js';
import { logoutPath, signedOutV1Path } from '../login/paths.js';
import { endSessionAndNotify } from '../sessions/back-channel-logout.js';
import type { Session } from '../storage/provider.js';

type Parameters = Call['params'];

/** Zitadel's default target with Login V2. The sandbox has no page there. */
const signedOutPath = '/logout/done';

interface Hint {
  clientId: string;
  sid: string | undefined;
}

/**
 * `GET|POST /oidc/v1/end_session`. With a valid `id_token_hint`, which may be expired, it ends the session. Without a
 * hint it redirects to the logout page if the instance requires Login V2, else ends all sessions of Login V1 in this
 * browser (Zitadel: session.go, auth_request.go).
 */
export const endSession: Endpoint = async ({ ctx, params }, instance) => {
  const hint = await verifyHint(params['id_token_hint'], instance);
  const application = requestingApplication(hint, params['client_id'], instance);
  const target = postLogoutTarget(params, application);
  if (!hint && instance.features.loginV2Required) {
    redirect(ctx, await logoutPageUrl(forLoginV2(target), params, instance));
    return;
  }
  const sids = hint ? await sidsToEnd(hint, instance) : await sidsOf(instance.sessions.list(ctx, 1));
  for (const sid of sids) await endSessionAndNotify(sid, instance);
  redirect(ctx, hint && !isOfLoginV1(hint) ? forLoginV2(target) : target);
};

// with Login V1, Zitadel ends all sessions of the browser (zitadel#8501)
async function sidsToEnd(hint: Hint, instance: Instance): Promise<string[]> {
  if (hint.sid === undefined) return [];
  return isOfLoginV1(hint) ? sidsOf(instance.sessions.listOfSameBrowser(hint.sid)) : [hint.sid];
}

function isOfLoginV1({ sid }: Hint): boolean {
  return sid?.startsWith('V1_') ?? false;
}

async function sidsOf(sessions: Promise<Session[]>): Promise<string[]> {
  return (await sessions).map(({ jti }) => jti);
}

async function verifyHint(idToken: string | undefined, instance: Instance): Promise<Hint | undefined> {
  if (!idToken) return undefined;
  if (issuerIn(idToken) !== instance.issuer) throw new OidcError('invalid_request', 'id_token_hint invalid');
  if (!instance.keys.hasKeyOf(idToken)) throw new OidcError('invalid_request', 'Errors.WebKey.NotFound', 404);
  const claims = await instance.keys.verifiedClaims(idToken);
  if (!claims) throw new OidcError('server_error', 'Errors.Internal', 500);
  const { azp, sid } = claims as Partial<Record<string, string>>;
  // a JWT without `azp` is not an ID token
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
  instance: Instance,
): Application | undefined {
  if (hint && clientId && clientId !== hint.clientId) {
    throw new OidcError('invalid_request', 'client_id does not match azp of id_token_hint');
  }
  const known = hint?.clientId ?? clientId;
  const application = instance.applications.oidcClient(known);
  if (known && !application) throw new OidcError('invalid_request', 'Errors.App.NotFound');
  return application;
}

function postLogoutTarget(params: Parameters, application: Application | undefined): string {
  const uri = params['post_logout_redirect_uri'];
  if (!uri || !application) return withState(signedOutV1Path, params['state']);
  if (!isPostLogoutRedirectUriOf(application, uri)) {
    throw new OidcError('invalid_request', 'post_logout_redirect_uri invalid');
  }
  return withState(uri, params['state']);
}

// as in Zitadel, the default path is replaced only when it has no `state`
function forLoginV2(target: string): string {
  return target === signedOutV1Path ? signedOutPath : target;
}

function withState(uri: string, state: string | undefined): string {
  return withQuery(uri, { state: state === '' ? undefined : state });
}

async function logoutPageUrl(target: string, params: Parameters, instance: Instance): Promise<string> {
  const wishes = {
    ...(params['logout_hint'] && { logout_hint: params['logout_hint'] }),
    ...(params['ui_locales'] && { ui_locales: params['ui_locales'] }),
  };
  // the target is signed, so that the page is not an open redirect
  const logoutToken = await instance.keys.sign({ post_logout_redirect_uri: target, ...wishes });
  const query = new URLSearchParams({ logout_token: logoutToken, post_logout_redirect: target, ...wishes });
  query.sort();
  return `${instance.loginOrigin}${logoutPath}?${query.toString()}`;
}
