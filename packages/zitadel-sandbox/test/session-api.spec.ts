import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { acme, madeProject, manage, managed } from './support/management.js';
import { alice, carol, RelyingParty } from './support/relying-party.js';

const aliceId = '320000000000000011';
const password = { password: 'Password1!' };
const later = '2046-01-01T00:00:00Z';

describe('The session API', () => {
  let sandbox: Sandbox;
  let client: RelyingParty;
  beforeEach(async () => {
    sandbox = await startSandbox({ empty: true, hasLoginPages: false });
    const { clientId } = await madeProject(sandbox);
    client = new RelyingParty(sandbox, { clientId, appId: '' });
  });
  afterEach(() => sandbox.close());

  const created = async (loginName = alice) => {
    const checks = { user: { loginName }, password };
    const { status, body } = await managed(sandbox, 'POST /v2/sessions', { checks });
    expect(status).toBe(201);
    return { sessionId: String(body['sessionId']), sessionToken: String(body['sessionToken']) };
  };
  const authRequest = async (overrides = {}) => {
    const { location } = await client.authorize(overrides);
    return `/v2/oidc/auth_requests/${new URL(location).searchParams.get('authRequest')}`;
  };

  it('It signs people in where no page does', async () => {
    expect((await client.login()).status).toBe(404);
    const session = await created();
    const { body } = await managed(sandbox, `POST ${await authRequest()}`, { session });
    const tokens = await client.tokensOf({ location: String(body['callbackUrl']) } as never);
    expect(tokens.claims).toMatchObject({ sid: session.sessionId, amr: ['pwd'], nonce: 'the-nonce' });
  });

  it.each([
    ['a wrong password', { password: { password: 'wrong' } }, 400, 'Password is invalid (COMMAND-3M0fs)'],
    ['an unknown user', { user: { loginName: 'nobody' } }, 404, 'User could not be found (QUERY-Dfbg2)'],
    ['an inactive user', { user: { loginName: carol } }, 400, 'Errors.User.NotActive (SESSION-Gj4ko)'],
  ])('It refuses %s', async (_what, checks, status, message) => {
    sandbox.setUserActive(carol, false);
    const given = { user: { loginName: alice }, password, ...checks };
    const answer = await managed(sandbox, 'POST /v2/sessions', { checks: given });
    expect([answer.status, answer.body['message']]).toEqual([status, message]);
  });

  it('A session is shown until it is deleted, which tells the applications, and then answers no request', async () => {
    const { sessionId, sessionToken } = await created();
    const { body } = await managed(sandbox, `GET /v2/sessions/${sessionId}`);
    const time: unknown = expect.stringMatching(/^\d{4}-.*Z$/);
    const user = { verifiedAt: time, id: aliceId, loginName: alice, displayName: 'Alice Archer' };
    expect(body['session']).toEqual({
      id: sessionId,
      creationDate: time,
      changeDate: time,
      sequence: '4',
      factors: { user: { ...user, organizationId: acme }, password: { verifiedAt: time } },
    });
    const { body: found } = await manage(sandbox, 'session.v2.SessionService/ListSessions', {});
    expect(found).toMatchObject({ details: { totalResult: '1' }, sessions: [{ id: sessionId }] });
    const path = await authRequest();
    expect((await managed(sandbox, `DELETE /v2/sessions/${sessionId}`)).status).toBe(200);
    expect((await managed(sandbox, `GET /v2/sessions/${sessionId}`)).status).toBe(404);
    const answer = await managed(sandbox, `POST ${path}`, { session: { sessionId, sessionToken } });
    expect([answer.status, answer.body['message']]).toEqual([
      400,
      'Session already terminated (COMMAND-Hewfq)',
    ]);
  });

  it('The deletion of a session of Login V1 is answered and does nothing', async () => {
    const { status, body } = await managed(sandbox, 'DELETE /v2/sessions/300000000000000139');
    expect([status, body]).toEqual([200, { details: {} }]);
  });

  it('A session is not handed in without its token, nor twice for a request', async () => {
    const [session, other] = [await created(), await created(carol)];
    const path = await authRequest();
    const mixed = { ...session, sessionToken: other.sessionToken };
    expect((await managed(sandbox, `POST ${path}`, { session: mixed })).status).toBe(403);
    expect((await managed(sandbox, `POST ${path}`, { session })).status).toBe(200);
    expect((await managed(sandbox, `POST ${path}`, { session })).status).toBe(404);
  });

  it.each([
    ['IAM_LOGIN_CLIENT', 200],
    ['IAM_ORG_MANAGER', 403],
  ])('It answers the request of a caller with the role %s with %i', async (role, status) => {
    const { body: user } = await managed(sandbox, 'POST /v2/users/new', {
      organizationId: acme,
      username: 'login-client',
      machine: { name: 'Login client' },
    });
    await manage(sandbox, 'internal_permission.v2.InternalPermissionService/CreateAdministrator', {
      userId: user['id'],
      resource: { instance: true },
      roles: [role],
    });
    const pat = await managed(sandbox, `POST /v2/users/${String(user['id'])}/pats`, {
      expirationDate: later,
    });
    const path = await authRequest();
    const session = await created();
    const answer = await managed(sandbox, `POST ${path}`, { session }, String(pat.body['token']));
    expect(answer.status).toBe(status);
  });
});
