import { findAuthRequest, type AuthRequest } from '../auth-request.js';
import { nowSeconds } from '../now.js';
import type { Call } from '../call.js';
import type { LoginView } from '../pages/login.page.js';
import { loginPath, loginV1Path } from '../pages/paths.js';
import type { Session } from '../provider.js';
import type { Realm } from '../realm.js';
import type { SandboxUser } from '../users.js';

/** A request at one of the login pages, with the authorization request that it is about. */
export interface LoginVisit {
  call: Call;
  realm: Realm;
  id: string;
  request: AuthRequest;
}

/** The visit, if its authorization request is known and not answered yet. */
export async function loginVisit(call: Call, realm: Realm): Promise<LoginVisit | undefined> {
  const { authRequest, authRequestID, requestId } = call.params;
  const id = authRequest ?? authRequestID ?? requestId?.replace(/^oidc_/, '') ?? '';
  const request = await findAuthRequest(realm, id);
  return request && { call, realm, id, request };
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
export function hintedPerson({ realm, request }: LoginVisit): SandboxUser | undefined {
  const { directory } = realm;
  const hinted = directory.byId(request.hintedUserId) ?? directory.person(request.loginHint);
  return hinted && isMember(hinted, request) ? hinted : undefined;
}

/** What every login page shows of this visit. */
export async function viewOf({ call, realm, id, request }: LoginVisit, error?: string): Promise<LoginView> {
  const sessions = await realm.sessions.of(call.ctx, request.loginVersion);
  const loginHint = call.form['loginName'] ?? request.loginHint;
  return {
    people: {
      action: request.loginVersion === 1 ? loginV1Path : loginPath,
      authRequest: id,
      applicationName: realm.applications.byClientId(request.clientId)?.name ?? '',
      people: realm.directory.people.filter((user) => user.active && isMember(user, request)),
      signedIn: sessions.map(({ accountId }) => realm.directory.byId(accountId)?.loginName ?? ''),
      ...(loginHint !== undefined && { loginHint }),
    },
    ...(request.uiLocales !== undefined && { uiLocales: request.uiLocales }),
    ...(error !== undefined && { error }),
  };
}
