import type { SandboxUser } from '../directory/users.js';
import type { Call } from '../http/call.js';
import type { Instance } from '../instance/instance.js';
import { nowSeconds } from '../storage/now.js';
import type { Session } from '../storage/provider.js';
import { findAuthRequest, type AuthRequest } from './auth-request.js';
import type { LoginView } from './pages/login.page.js';
import { loginPath, loginV1Path } from './paths.js';

/** A request at one of the login pages, with the authorization request that it is about. */
export interface LoginContext {
  call: Call;
  instance: Instance;
  id: string;
  request: AuthRequest;
}

/** The login, if its authorization request is known and not answered yet. */
export async function findLogin(call: Call, instance: Instance): Promise<LoginContext | undefined> {
  const { authRequest, authRequestID, requestId } = call.params;
  const id = authRequest ?? authRequestID ?? requestId?.replace(/^oidc_/, '') ?? '';
  const request = await findAuthRequest(instance, id);
  return request && { call, instance, id, request };
}

/** May this person answer a request that is restricted to an organization? */
export function isMember(user: SandboxUser, { organizationId }: AuthRequest): boolean {
  return organizationId === undefined || user.home.id === organizationId;
}

/** True when the session is older than the application wants. */
export function isTooOld(session: Session, { maxAgeSeconds }: AuthRequest): boolean {
  return maxAgeSeconds !== undefined && nowSeconds() - (session.loginTs ?? 0) >= maxAgeSeconds;
}

/**
 * The person that the application expects, if that person may sign in here: what an ID token says counts more than a
 * login name.
 */
export function hintedPerson({ instance, request }: LoginContext): SandboxUser | undefined {
  const { directory } = instance;
  const hinted = directory.byId(request.hintedUserId) ?? directory.person(request.loginHint);
  return hinted && isMember(hinted, request) ? hinted : undefined;
}

/** What every login page shows of this login. */
export async function viewOf(
  { call, instance, id, request }: LoginContext,
  error?: string,
): Promise<LoginView> {
  const sessions = await instance.sessions.of(call.ctx, request.loginVersion);
  const loginHint = call.form['loginName'] ?? request.loginHint;
  return {
    people: {
      action: request.loginVersion === 1 ? loginV1Path : loginPath,
      authRequest: id,
      applicationName: instance.applications.byClientId(request.clientId)?.name ?? '',
      people: instance.directory.people.filter((user) => user.active && isMember(user, request)),
      signedIn: sessions.map(({ accountId }) => instance.directory.byId(accountId)?.loginName ?? ''),
      ...(loginHint !== undefined && { loginHint }),
    },
    ...(request.uiLocales !== undefined && { uiLocales: request.uiLocales }),
    ...(error !== undefined && { error }),
  };
}
