import { defaultIds } from '../directory/applications.js';
import type { SandboxUser } from '../directory/users.js';
import { answerText } from '../http/answers.js';
import { readBody } from '../http/call.js';
import type { Instance } from '../instance/instance.js';
import { audiencesIn } from '../keys/client-assertion.js';
import type { Context } from '../storage/provider.js';
import { findAccessToken } from '../tokens/presented-token.js';
import { actionService } from './actions/action-service.js';
import { administratorService } from './administrators.js';
import { applicationKeyMethods } from './application-keys.js';
import { applicationMethods } from './applications.js';
import { authorizationService } from './authorizations.js';
import { authRequestService } from './login/auth-request-service.js';
import { sessionService } from './login/session-service.js';
import { ManagementError } from './management.error.js';
import type { Method } from './method.js';
import { organizationService } from './organizations.js';
import { projectRoleMethods } from './project-roles.js';
import { projectService } from './projects.js';
import { restRoutes } from './rest-routes.js';
import { Rights } from './rights.js';
import { tokenLifetimeService } from './token-lifetimes.js';
import { credentialMethods } from './user-credentials.js';
import { userService } from './users.js';

/** The services that Zitadel has had only since its management API v2 is complete. */
const newerServices: Record<string, Record<string, Method>> = {
  'zitadel.project.v2.ProjectService': { ...projectService, ...projectRoleMethods },
  'zitadel.application.v2.ApplicationService': { ...applicationMethods, ...applicationKeyMethods },
  'zitadel.authorization.v2.AuthorizationService': authorizationService,
  'zitadel.internal_permission.v2.InternalPermissionService': administratorService,
};
const services: Record<string, Record<string, Method>> = {
  ...newerServices,
  'zitadel.user.v2.UserService': { ...userService, ...credentialMethods },
  'zitadel.org.v2.OrganizationService': organizationService,
  'zitadel.session.v2.SessionService': sessionService,
  'zitadel.oidc.v2.OIDCService': authRequestService,
  'zitadel.action.v2.ActionService': actionService,
  'zitadel.admin.v1.AdminService': tokenLifetimeService,
};

const connectPath = /^\/(zitadel\.[\w.]+)\/(\w+)$/;
const bearer = 'Bearer ';

/** True for the paths of the management API that the sandbox has, by Connect or REST. */
export function isManagementPath(method: string, path: string): boolean {
  return connectPath.test(path) || restRoutes.some((route) => route.matches(method, path));
}

/** Answers the calls of Zitadel's management API v2 that a set-up needs. */
export async function answerManagement(ctx: Context, instance: Instance): Promise<void> {
  const [, service = '', name = ''] = connectPath.exec(ctx.path) ?? [];
  if (service === '') return answerRest(ctx, instance);
  const isThere = instance.hasManagementV2 || !(service in newerServices);
  const methods = isThere ? services[service] : undefined;
  if (!methods) return answerUnknownService(ctx);
  const run = methods[name];
  if (!run) return answerText(ctx, 404, '404 page not found');
  if (!ctx.is('application/json')) return answerEmpty(ctx, 415);
  try {
    ctx.body = await answerTo(run, await readMessage(ctx), ctx, instance);
    ctx.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' });
  } catch (error) {
    if (!(error instanceof ManagementError)) throw error;
    ctx.status = error.status;
    ctx.body = error.connectBody;
  }
}

async function answerRest(ctx: Context, instance: Instance): Promise<void> {
  const route = restRoutes.find((one) => one.matches(ctx.method, ctx.path));
  const [service = '', name = ''] = route?.method ?? [];
  const run = services[service]?.[name];
  if (!route || !run) return answerUnknownService(ctx);
  try {
    const message = { ...(await readMessage(ctx)), ...route.parametersOf(ctx.path) };
    ctx.body = await answerTo(run, message, ctx, instance);
    ctx.status = route.status;
  } catch (error) {
    if (!(error instanceof ManagementError)) throw error;
    ctx.status = error.status;
    ctx.body = error.restBody;
    if (error.status === 401) ctx.set('WWW-Authenticate', error.message);
  }
}

async function answerTo(run: Method, message: object, ctx: Context, instance: Instance): Promise<object> {
  const user = await authenticate(ctx, instance);
  const rights = new Rights(instance.administrators.of(user.id), instance.applications.projects);
  return run(message, { instance, user, rights });
}

/** @throws ManagementError for a token that is not meant for the management API */
async function authenticate(ctx: Context, instance: Instance): Promise<SandboxUser> {
  const header = ctx.get('authorization');
  if (header === '') throw new ManagementError('unauthenticated', 'auth header missing');
  if (!header.startsWith(bearer))
    throw new ManagementError('unauthenticated', 'invalid auth header', 'AUTH-toLo1');
  const token = await findAccessToken(instance, header.slice(bearer.length));
  const user = instance.directory.byId(token?.accountId);
  if (!token || !user || !audiencesIn(token).includes(defaultIds.zitadelProject))
    throw new ManagementError('unauthenticated', 'Errors.Token.Invalid', 'AUTH-7fs1e');
  return user;
}

async function readMessage(ctx: Context): Promise<object> {
  const body = (await readBody(ctx)) ?? '';
  try {
    const message = JSON.parse(body === '' ? '{}' : body) as unknown;
    if (typeof message === 'object' && message !== null) return message;
  } catch {
    // falls through to the error
  }
  throw new ManagementError('invalid_argument', 'proto: syntax error (line 1:1): invalid value');
}

function answerUnknownService(ctx: Context): void {
  ctx.set('Vary', 'Origin');
  ctx.status = 404;
  ctx.body = { code: 5, message: 'Not Found' };
}

function answerEmpty(ctx: Context, status: number): void {
  ctx.status = status;
  ctx.body = '';
  ctx.remove('Content-Type');
}
