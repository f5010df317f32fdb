import { randomBytes } from 'node:crypto';
import { posix } from 'node:path';
import { answerText, redirect } from './http/answers.js';
import { checkReadable, readCall, type Call } from './http/call.js';
import { setCorsHeaders, answerPreflight, isPreflight } from './http/cors.js';
import { isKnownHost, requestedOrigin, unknownHostMessage } from './http/host-check.js';
import { OidcError } from './http/oidc.error.js';
import type { RequestLog } from './http/request-log.js';
import type { Endpoint, Instance } from './instance/instance.js';
import { deviceV1Endpoints } from './login/device-v1.endpoints.js';
import { device } from './login/device.endpoint.js';
import { authorizeCallback, loginV1Endpoints } from './login/login-v1.endpoints.js';
import { loginV2Endpoints } from './login/login-v2.endpoints.js';
import { signedOut, logout } from './login/logout.endpoint.js';
import {
  callbackV1Path,
  consolePath,
  devicePath,
  deviceV1Path,
  loginV2Prefix,
  logoutPath,
  signedOutV1Path,
} from './login/paths.js';
import { noConsole, start } from './login/start.endpoint.js';
import { answerManagement, isManagementPath } from './management/management.endpoint.js';
import { authorize } from './protocol/authorize.endpoint.js';
import { deviceAuthorization } from './protocol/device-authorization.endpoint.js';
import { discovery, publishedKeys } from './protocol/discovery.endpoint.js';
import { endSession } from './protocol/end-session.endpoint.js';
import { introspect } from './protocol/introspect.endpoint.js';
import { revoke } from './protocol/revoke.endpoint.js';
import { token } from './protocol/token.endpoint.js';
import { userinfo } from './protocol/userinfo.endpoint.js';
import type { Context } from './storage/provider.js';

/** Protocol endpoints that ignore their parameters, malformed ones included. */
const withoutParameters: Record<string, Endpoint> = {
  '/.well-known/openid-configuration': discovery,
  '/oauth/v2/keys': publishedKeys,
};

const withParameters: Record<string, Endpoint> = {
  '/oauth/v2/authorize': authorize,
  [callbackV1Path]: authorizeCallback,
  '/oauth/v2/token': token,
  '/oauth/v2/introspect': introspect,
  '/oauth/v2/revoke': revoke,
  '/oauth/v2/device_authorization': deviceAuthorization,
  '/oidc/v1/userinfo': userinfo,
  '/oidc/v1/end_session': endSession,
};

const loginUi: Record<string, Endpoint> = {
  '/ui/login': start,
  ...loginV1Endpoints,
  ...loginV2Endpoints,
  [logoutPath]: logout,
  [signedOutV1Path]: signedOut,
  [devicePath]: device,
  ...deviceV1Endpoints,
};

type Answer = (ctx: Context) => void;

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

/** Zitadel's responses at paths outside the protocol and the login UI. */
const fixedAnswers = new Map<string, Answer>([
  ['/', (ctx) => redirect(ctx, '/ui/login')],
  ['/device', toDevicePage],
  ['/robots.txt', (ctx) => say(ctx, text, 'User-agent: *\nDisallow: /\n')],
  ['/debug/healthz', (ctx) => say(ctx, text, 'ok')],
  ['/debug/ready', (ctx) => say(ctx, json, '"ok"\n')],
  ['/healthz', answerHealth],
]);

const protocol = /^\/(oauth\/v2|oidc\/v1|\.well-known\/openid-configuration)(\/|$)/;
const hourMs = 3_600_000;
const requestIdBytes = 10;

/** The middleware that answers all requests, so that oidc-provider's own routes are never reached. */
export function answerRequests(instance: Instance, log: RequestLog): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const record = log.add(ctx);
    await answerErrors(ctx, async () => {
      const call = await readCall(ctx);
      record.form = call.form;
      await answer(call, instance);
    });
    writeJson(ctx);
    record.status = ctx.status;
    await instance.faults.delayAnswer(ctx.path);
    if (instance.faults.takeDrop(ctx.path)) ctx.req.socket.destroy();
  };
}

async function answer(call: Call, instance: Instance): Promise<void> {
  const { ctx } = call;
  const path = posix.normalize(ctx.path);
  if (path !== ctx.path) {
    redirectToNormalizedPath(ctx, path);
    return;
  }
  setCommonHeaders(ctx);
  const { host, scheme } = requestedOrigin(ctx);
  const requested = withIssuer(instance, `${scheme}://${host}`);
  if (isLoginOrigin(host, instance)) await answerLoginUi(call, instance, path.startsWith(loginV2Prefix));
  else if (!isKnownHost(host)) answerUnknownHost(ctx, host, scheme);
  else if (protocol.test(path)) await answerProtocol(call, requested);
  else if (path.startsWith('/ui/')) await answerLoginUi(call, requested, isOnIssuer(path, instance));
  else if (isManagementPath(ctx.method, path)) await answerManagementCall(ctx, requested);
  else (fixedAnswers.get(path) ?? answerUnknown)(ctx);
}

function isLoginOrigin(host: string, { loginOrigin }: Instance): boolean {
  return loginOrigin !== '' && new URL(loginOrigin).host === host;
}

// with `loginOrigin`, Login V2 is not served on the issuer's origin
function isOnIssuer(path: string, { loginOrigin }: Instance): boolean {
  return loginOrigin === '' || !path.startsWith(loginV2Prefix);
}

/** The instance with the issuer of this request, which another port or a proxy changes. */
function withIssuer(instance: Instance, issuer: string): Instance {
  return issuer === instance.issuer ? instance : { ...instance, issuer };
}

async function answerProtocol(call: Call, instance: Instance): Promise<void> {
  const { ctx } = call;
  if (isPreflight(ctx)) {
    answerPreflight(ctx);
    return;
  }
  setNoStoreHeaders(ctx);
  ctx.set('Vary', ['Origin', 'Cookie']);
  instance.sessions.ensureBrowserId(ctx);
  setCorsHeaders(ctx);
  if (answerFault(ctx, instance)) return;
  const plain = withoutParameters[ctx.path];
  const endpoint = plain ?? withParameters[ctx.path];
  if (!endpoint) {
    answerUnknownEndpoint(ctx);
    return;
  }
  if (!plain) checkReadable(call);
  await endpoint(call, instance);
}

async function answerManagementCall(ctx: Context, instance: Instance): Promise<void> {
  if (!answerFault(ctx, instance)) await answerManagement(ctx, instance);
}

// no CORS headers here, else a page of another origin could sign a user in and read the code
async function answerLoginUi(call: Call, instance: Instance, isThere: boolean): Promise<void> {
  const { ctx } = call;
  setNoStoreHeaders(ctx);
  ctx.set('Vary', 'Cookie');
  instance.sessions.ensureBrowserId(ctx);
  const isServed = isThere && (instance.hasLoginPages || !ctx.path.startsWith(loginV2Prefix));
  const page = ctx.path.startsWith(consolePath) ? noConsole : loginUi[ctx.path];
  const endpoint = isServed ? page : undefined;
  if (answerFault(ctx, instance)) return;
  if (ctx.method === 'OPTIONS') ctx.status = 204;
  else if (endpoint) await endpoint(call, instance);
  else answerUnknown(ctx);
}

function answerFault(ctx: Context, { faults }: Instance): boolean {
  const status = faults.takeFailureStatus(ctx.path);
  if (status === undefined) return false;
  ctx.status = status;
  ctx.body = { error: 'server_error', error_description: 'failure injected by the sandbox' };
  return true;
}

function setCommonHeaders(ctx: Context): void {
  ctx.set({ 'X-Robots-Tag': 'none', 'X-Request-Id': randomBytes(requestIdBytes).toString('hex') });
}

function setNoStoreHeaders(ctx: Context): void {
  const anHourAgo = new Date(Math.floor(Date.now() / 1000) * 1000 - hourMs).toUTCString();
  ctx.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache', Expires: anHourAgo });
}

function answerUnknownHost(ctx: Context, host: string, scheme: string): void {
  setNoStoreHeaders(ctx);
  ctx.set('Vary', 'Origin');
  answerText(ctx, 404, unknownHostMessage(host, scheme));
}

function redirectToNormalizedPath(ctx: Context, path: string): void {
  ctx.status = 301;
  ctx.set('Location', path + ctx.search);
  ctx.body = '';
  ctx.remove('Content-Type');
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

/** Serializes JSON as Zitadel does: without a charset, with a trailing line feed. */
function writeJson(ctx: Context): void {
  if (typeof ctx.body !== 'object' || ctx.body === null) return;
  const body = `${JSON.stringify(ctx.body)}\n`;
  ctx.set('Content-Type', 'application/json');
  ctx.body = body;
}

/** Zitadel's response at any other path. */
function answerUnknown(ctx: Context): void {
  ctx.set('Vary', 'Origin');
  ctx.status = 404;
  ctx.body = { code: 5, message: 'Not Found' };
}

/** Zitadel's response at an unknown path of the protocol. */
function answerUnknownEndpoint(ctx: Context): void {
  answerText(ctx, 404, '404 page not found');
}

function toDevicePage(ctx: Context): void {
  redirect(ctx, `${deviceV1Path}${ctx.search}`);
}

function answerHealth(ctx: Context): void {
  ctx.set('Vary', ['Origin', 'Cookie']);
  ctx.set('Set-Cookie', 'zitadel.quota.exhausted=; Path=/; Max-Age=0; SameSite=Lax');
  ctx.body = { status: 'SERVING' };
}

function say(ctx: Context, type: string, body: string): void {
  ctx.set('Content-Type', type);
  ctx.body = body;
}
