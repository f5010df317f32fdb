import { z } from 'zod';
import { instanceId } from '../../actions/events.js';
import { timestamp } from '../../directory/changes.js';
import type { SandboxUser } from '../../directory/users.js';
import type { Instance } from '../../instance/instance.js';
import { endSessionAndNotify } from '../../sessions/back-channel-logout.js';
import { isV1, passwordAmr } from '../../sessions/browser-sessions.js';
import type { Session } from '../../storage/provider.js';
import { ManagementError } from '../management.error.js';
import { listField, method, text, type Caller, type Method } from '../method.js';
import { notFound } from '../users.js';

/** A session has four events: it was made, its user and password were checked, its token was set. */
const sequence = '4';
const tokenPrefix = 'sess_';
const defaultLimit = 100;

const check = z.object({
  user: z.object({ userId: z.string().optional(), loginName: z.string().optional() }),
  password: z.object({ password: z.string() }).optional(),
});
const named = (message: string) =>
  z.object({ sessionId: text(`${message}Request.SessionId`), sessionToken: z.string().optional() });

/** Sessions of people, as a login UI makes and ends them. Login name and password are the only checks. */
export const sessionService: Record<string, Method> = {
  CreateSession: method(z.object({ checks: check }), async ({ checks }, { instance }) => {
    const user = checkedUser(checks, instance);
    const session = await instance.sessions.startWithoutBrowser(user, checks.password ? passwordAmr : []);
    return {
      details: detailsOf(session),
      sessionId: session.jti,
      sessionToken: await sessionToken(session.jti, instance),
    };
  }),

  GetSession: method(named('GetSession'), async ({ sessionId, sessionToken: token }, caller) => {
    const session = await caller.instance.sessions.find(sessionId);
    if (!session || isV1(sessionId) || !(await maySee(session, token, caller)))
      throw new ManagementError('not_found', 'Session does not exist', 'QUERY-SFeaa');
    return { session: view(session, caller.instance) };
  }),

  ListSessions: method(
    z.object({
      query: z.object({ limit: z.number().optional() }).optional(),
      queries: z.array(z.object({ userIdQuery: z.object({ id: z.string() }).optional() })).default([]),
    }),
    async ({ query, queries }, caller) => {
      const all = caller.rights.may('session', {}) ? await caller.instance.sessions.listV2() : [];
      const found = all.filter(({ accountId }) =>
        queries.every(({ userIdQuery }) => (userIdQuery?.id ?? accountId) === accountId),
      );
      const total = found.length === 0 ? {} : { totalResult: String(found.length) };
      const page = found.slice(0, query?.limit ?? defaultLimit).map((one) => view(one, caller.instance));
      return { details: { ...total, timestamp: timestamp() }, ...listField('sessions', page) };
    },
  ),

  // the sessions of Login V1 are others: Zitadel answers as if it had ended one, and does nothing
  DeleteSession: method(named('DeleteSession'), async ({ sessionId, sessionToken: token }, caller) => {
    const session = isV1(sessionId) ? undefined : await caller.instance.sessions.find(sessionId);
    if (!session) return { details: {} };
    if (!(await isTokenOf(sessionId, token, caller.instance))) caller.rights.require('session', {});
    await endSessionAndNotify(sessionId, caller.instance);
    return { details: { ...detailsOf(session), changeDate: timestamp() } };
  }),
};

/** @throws ManagementError for an unknown or inactive user, or a wrong password */
function checkedUser({ user: by, password }: z.infer<typeof check>, { directory }: Instance): SandboxUser {
  const user = directory.byId(by.userId) ?? directory.findPerson(by.loginName);
  if (!user) throw notFound('QUERY-Dfbg2');
  if (!user.active)
    throw new ManagementError('failed_precondition', 'Errors.User.NotActive', 'SESSION-Gj4ko');
  if (password && password.password !== user.password)
    throw new ManagementError('invalid_argument', 'Password is invalid', 'COMMAND-3M0fs');
  return user;
}

/**
 * Finds a session by its id and token.
 *
 * @throws ManagementError for a token of another session, or a session that has ended
 */
export async function sessionByToken(
  { sessionId, sessionToken: token }: { sessionId: string; sessionToken: string },
  instance: Instance,
): Promise<Session> {
  if (!(await isTokenOf(sessionId, token, instance)))
    throw new ManagementError('permission_denied', 'Session Token is invalid', 'COMMAND-sGr42');
  const session = await instance.sessions.find(sessionId);
  if (session) return session;
  throw new ManagementError('failed_precondition', 'Session already terminated', 'COMMAND-Hewfq');
}

function sessionToken(sessionId: string, { encryption }: Instance): Promise<string> {
  return encryption.encrypt(tokenPrefix + sessionId);
}

async function isTokenOf(
  sessionId: string,
  token: string | undefined,
  { encryption }: Instance,
): Promise<boolean> {
  return token !== undefined && (await encryption.decrypt(token)) === tokenPrefix + sessionId;
}

async function maySee({ jti }: Session, token: string | undefined, caller: Caller): Promise<boolean> {
  return caller.rights.may('session', {}) || isTokenOf(jti, token, caller.instance);
}

function detailsOf(session: Session) {
  return { sequence, changeDate: checkedAt(session), resourceOwner: instanceId };
}

function checkedAt({ loginTs = 0 }: Session): string {
  return timestamp(new Date(loginTs * 1000));
}

function view(session: Session, { directory }: Instance) {
  const user = directory.byId(session.accountId);
  const verifiedAt = checkedAt(session);
  return {
    id: session.jti,
    creationDate: verifiedAt,
    changeDate: verifiedAt,
    sequence,
    factors: {
      user: {
        verifiedAt,
        id: session.accountId,
        loginName: user?.loginName,
        displayName: user?.displayName,
        organizationId: user?.home.id,
      },
      ...(session.amr?.includes('pwd') && { password: { verifiedAt } }),
    },
  };
}
