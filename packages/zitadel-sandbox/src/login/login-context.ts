import type { SandboxUser } from '../directory/users.js';
import type { Call } from '../http/call.js';
import type { Instance } from '../instance/instance.js';
import { idFor } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import type { Session } from '../storage/provider.js';
import { findAuthRequest, type AuthRequest } from './auth-request.js';
import type { LoginView } from './pages/login.page.js';
import { loginPath, loginV1Path } from './paths.js';

/** An HTTP request to a login page, with its authorization request. */
export interface LoginContext {
  call: Call;
  instance: Instance;
  id: string;
  request: AuthRequest;
}

/** Finds the pending authorization request of a login page. */
export async function findLogin(call: Call, instance: Instance): Promise<LoginContext | undefined> {
  const { authRequest, authRequestID, requestId } = call.params;
  const id = authRequest ?? authRequestID ?? requestId?.replace(/^oidc_/, '') ?? '';
  const request = await findAuthRequest(instance, id);
  return request && { call, instance, id, request };
}

/** True unless the request is limited to an organization that the user does not belong to. */
export function isMember(user: SandboxUser, { organizationId }: AuthRequest): boolean {
  return organizationId === undefined || user.home.id === organizationId;
}

/** True when the session is older than `max_age`. */
export function isTooOld(session: Session, { maxAgeSeconds }: AuthRequest): boolean {
  return maxAgeSeconds !== undefined && nowSeconds() - (session.loginTs ?? 0) >= maxAgeSeconds;
}

/**
 * The user of `id_token_hint`, else of `login_hint`, unless that user belongs to another organization than the request
 * is limited to.
 */
export function hintedPerson({ instance, request }: LoginContext): SandboxUser | undefined {
  const { directory } = instance;
  const hinted = directory.byId(request.hintedUserId) ?? directory.findPerson(request.loginHint);
  return hinted && isMember(hinted, request) ? hinted : undefined;
}

const codeLength = 6;

/** The code that Zitadel would send by e-mail, or an authenticator app would show. The sandbox shows it on the page. */
export function codeOf({ id }: SandboxUser, source: 'e-mail' | 'authenticator app'): string {
  return idFor(`${source} code of ${id}`).slice(-codeLength);
}

/** The user whose password was checked in this sign-in, and who has to enter a one-time code. */
export function personWithCode({ instance, request }: LoginContext): SandboxUser | undefined {
  return instance.directory.byId(request.passwordOf);
}

/** The view model of all login pages. */
export async function createView(
  { call, instance, id, request }: LoginContext,
  error?: string,
): Promise<LoginView> {
  const sessions = await instance.sessions.list(call.ctx, request.loginVersion);
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
