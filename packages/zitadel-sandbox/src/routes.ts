import { readCall, type Call, type Endpoint } from './call.js';
import { authorize } from './endpoints/authorize.endpoint.js';
import { deviceAuthorization } from './endpoints/device-authorization.endpoint.js';
import { discovery } from './endpoints/discovery.endpoint.js';
import { endSession, signedOutPath, signedOutV1Path } from './endpoints/end-session.endpoint.js';
import { introspect } from './endpoints/introspect.endpoint.js';
import { publishedKeys } from './endpoints/keys.endpoint.js';
import { loginEndpoints } from './endpoints/login.endpoints.js';
import { signedOut } from './endpoints/logout.endpoint.js';
import { revoke } from './endpoints/revoke.endpoint.js';
import { start } from './endpoints/start.endpoint.js';
import { token } from './endpoints/token.endpoint.js';
import { userinfo } from './endpoints/userinfo.endpoint.js';
import { requestedHost, unknownHostMessage } from './host-check.js';
import { OidcError } from './oidc.error.js';
import { loginV2Prefix } from './pages/paths.js';
import type { Context } from './provider.js';
import type { Realm } from './realm.js';
import type { RequestLog } from './request-log.js';

const endpoints: Record<string, Endpoint> = {
  '/.well-known/openid-configuration': discovery,
  '/oauth/v2/keys': publishedKeys,
  '/oauth/v2/authorize': authorize,
  '/oauth/v2/token': token,
  '/oauth/v2/introspect': introspect,
  '/oauth/v2/revoke': revoke,
  '/oauth/v2/device_authorization': deviceAuthorization,
  '/oidc/v1/userinfo': userinfo,
  '/oidc/v1/end_session': endSession,
  '/': start,
  ...loginEndpoints,
  [signedOutPath]: signedOut,
  [signedOutV1Path]: signedOut,
};

const protocolPrefixes = ['/.well-known/', '/oauth/v2/', '/oidc/v1/'];

/** Answers every request to the sandbox, in front of oidc-provider's own routes. */
export function answerRequests(realm: Realm, log: RequestLog): (ctx: Context) => Promise<void> {
  const { host } = new URL(realm.issuer);
  const loginHost = realm.loginOrigin === '' ? undefined : new URL(realm.loginOrigin).host;
  return async (ctx) => {
    const record = log.add(ctx);
    const asked = requestedHost(ctx);
    if (asked !== host && asked !== loginHost) {
      ctx.status = 404;
      ctx.body = unknownHostMessage(asked);
      record.status = ctx.status;
      return;
    }
    setCommonHeaders(ctx, realm);
    await answerErrors(ctx, async () => {
      const call = await readCall(ctx);
      record.form = call.form;
      // Login V2 on an origin of its own is not on the issuer's, and the other way round
      const isLoginUi = ctx.path.startsWith(loginV2Prefix);
      const isThere = loginHost === undefined || isLoginUi === (asked === loginHost);
      await answer(call, realm, isThere);
    });
    record.status = ctx.status;
    await realm.faults.holdBack(ctx.path);
    if (realm.faults.dropsAnswer(ctx.path)) ctx.req.socket.destroy();
  };
}

function setCommonHeaders(ctx: Context, realm: Realm): void {
  realm.sessions.agentOf(ctx);
  ctx.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache', 'X-Robots-Tag': 'none', Vary: 'Origin' });
  const origin = ctx.get('origin');
  // never for the login UI, or a foreign page could sign somebody in and read the code
  if (!origin || !protocolPrefixes.some((prefix) => ctx.path.startsWith(prefix))) return;
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' });
  if (ctx.method === 'OPTIONS') {
    ctx.set('Access-Control-Allow-Methods', 'GET, HEAD, POST');
    ctx.set('Access-Control-Allow-Headers', ctx.get('access-control-request-headers'));
  }
}

async function answer(call: Call, realm: Realm, isThere: boolean): Promise<void> {
  const { ctx } = call;
  const faultStatus = realm.faults.statusFor(ctx.path);
  const endpoint = isThere ? endpoints[ctx.path] : undefined;
  if (ctx.method === 'OPTIONS') ctx.status = 204;
  else if (faultStatus !== undefined) {
    ctx.status = faultStatus;
    ctx.body = { error: 'server_error', error_description: 'the sandbox was told to fail' };
  } else if (!endpoint) {
    ctx.status = 404;
    ctx.body = 'Not Found\n';
  } else await endpoint(call, realm);
}

async function answerErrors(ctx: Context, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof OidcError)) throw error;
    ctx.status = error.status;
    ctx.body = error.body;
  }
}
