import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { acme, manage } from './support/management.js';
import { exchangesOf } from './support/recorded/recording.js';
import { alice, RelyingParty, withSandbox } from './support/relying-party.js';

interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  event: Record<string, unknown>;
}

const ACTIONS = 'action.v2.ActionService';
const patient = { projectId: '320000000000000100' };

let sandbox: Sandbox;
let server: Server;
let received: Received[];
/** what the receiver answers, by path; default 200 */
let statuses: Record<string, number>;
let origin: string;

beforeEach(async () => {
  received = [];
  statuses = {};
  server = createServer((request, response) => {
    void take(request).then((path) => response.writeHead(statuses[path] ?? 200).end('{}'));
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  sandbox = await startSandbox({ patFile: '/dev/null' });
});
afterEach(async () => {
  await sandbox.close();
  server.close();
});

async function take(request: IncomingMessage): Promise<string> {
  const body = await text(request);
  const { url: path = '', headers } = request;
  received.push({ path, headers, body, event: JSON.parse(body) as Record<string, unknown> });
  server.emit('received');
  return path;
}

async function untilReceived(count: number): Promise<void> {
  while (received.length < count) await once(server, 'received');
}

async function target(
  path: string,
  type: object = { restWebhook: {} },
): Promise<{ id: string; key: string }> {
  const message = { name: path, ...type, timeout: '10s', endpoint: `${origin}${path}` };
  const { body } = await manage(sandbox, `${ACTIONS}/CreateTarget`, message);
  return { id: String(body['id']), key: String(body['signingKey']) };
}

async function on(event: object, ...targets: { id: string }[]): Promise<void> {
  const message = { condition: { event }, targets: targets.map(({ id }) => id) };
  const { status } = await manage(sandbox, `${ACTIONS}/SetExecution`, message);
  expect(status).toBe(200);
}

/** Names of fields in their order, and of those of the payload. */
const shapeOf = ({ event_payload: payload, ...event }: Record<string, unknown>) => ({
  fields: Object.keys(event),
  payload: payload && Object.keys(payload),
});

describe('An event', () => {
  it('has the fields, the header and the signature that the recorded server sent', async () => {
    const hook = await target('/all');
    await on({ all: true }, hook);
    await makeEvents();
    const recorded = new Map(
      exchangesOf('actions-events')
        .filter(({ name }) => name.startsWith('event '))
        .map(({ name, request }) => [name.slice('event '.length), request]),
    );
    const types = received.map(({ event }) => String(event['event_type']));
    expect(new Set(types)).toEqual(new Set([...types].filter((type) => recorded.has(type))));
    for (const { event, headers, body } of received) {
      const exchange = recorded.get(String(event['event_type']));
      expect(shapeOf(event)).toEqual(shapeOf(exchange?.json ?? {}));
      expect(event['aggregateType']).toBe(exchange?.json?.['aggregateType']);
      expect(event['version']).toBe(exchange?.json?.['version']);
      const names = Object.keys(headers).filter((name) => name !== 'connection');
      expect(names.sort()).toEqual(Object.keys(exchange?.headers ?? {}).sort());
      const [, time = '', signature] =
        /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['zitadel-signature'])) ?? [];
      expect(signature).toBe(createHmac('sha256', hook.key).update(`${time}.${body}`).digest('hex'));
    }
  });

  it('is signed in the way in which the recorded ones are', () => {
    const key = 'PLACEHOLDERsigningkeyPLACEHOLDERsign';
    const events = exchangesOf('actions-events').filter(({ name }) => name.startsWith('event '));
    for (const { request } of events) {
      const [, time = '', signature] =
        /^t=(\d+),v1=(\w+)$/.exec(request?.headers?.['zitadel-signature'] ?? '') ?? [];
      const body = JSON.stringify(request?.json);
      expect(signature).toBe(createHmac('sha256', key).update(`${time}.${body}`).digest('hex'));
    }
  });

  it('reaches the targets of the best match alone', async () => {
    const [all, group, single] = [await target('/all'), await target('/group'), await target('/single')];
    await on({ all: true }, all);
    await on({ group: 'user' }, group);
    await on({ event: 'user.locked' }, single);
    sandbox.lockUser(alice);
    sandbox.unlockUser(alice);
    await manage(sandbox, 'project.v2.ProjectService/RemoveProjectRole', { ...patient, roleKey: 'viewer' });
    await untilReceived(4);
    expect(received.map(({ path, event }) => [path, event['event_type']])).toEqual([
      ['/single', 'user.locked'],
      ['/group', 'user.unlocked'],
      ['/all', 'project.role.removed'],
      ['/group', 'user.grant.cascade.changed'],
    ]);
  });

  it('is sent once, and a failing target that interrupts loses it for the targets after it', async () => {
    const interrupting = await target('/interrupting', { restWebhook: { interruptOnError: true } });
    const failing = await target('/failing');
    const last = await target('/last', { restAsync: {} });
    await on({ event: 'user.locked' }, interrupting, last);
    await on({ event: 'user.unlocked' }, failing, last);
    statuses = { '/interrupting': 500, '/failing': 500 };
    sandbox.lockUser(alice);
    sandbox.unlockUser(alice);
    await untilReceived(3);
    expect(received.map(({ path }) => path)).toEqual(['/interrupting', '/failing', '/last']);
  });

  it('is lost without an answer, and for a target on another machine', async () => {
    await on({ event: 'user.locked' }, await target('/hook'));
    const elsewhere = { name: 'x', restWebhook: {}, timeout: '5s', endpoint: 'https://app.example/events' };
    const { body } = await manage(sandbox, `${ACTIONS}/CreateTarget`, elsewhere);
    await on({ event: 'user.unlocked' }, { id: String(body['id']) });
    await on({ event: 'user.deactivated' }, await target('/last'));
    server.close();
    server.closeAllConnections();
    sandbox.lockUser(alice);
    sandbox.unlockUser(alice);
    while (sandbox.eventDeliveries.length < 2) await turn();
    server.listen(Number(new URL(origin).port), 'localhost');
    await once(server, 'listening');
    sandbox.setUserActive(alice, false);
    await untilReceived(1);
    expect(received.map(({ path }) => path)).toEqual(['/last']);
    const sent = sandbox.eventDeliveries.map(({ eventType, status }) => [eventType, status]);
    expect(sent.slice(0, 2)).toEqual([
      ['user.locked', null],
      ['user.unlocked', null],
    ]);
  });
});

describe('A target', () => {
  it('has a new signing key at once, and is not called after its deletion', async () => {
    const hook = await target('/hook');
    await on({ event: 'user.locked' }, hook);
    const renewal = { id: hook.id, expirationSigningKey: '0s', endpoint: `${origin}/new` };
    const { body } = await manage(sandbox, `${ACTIONS}/UpdateTarget`, renewal);
    sandbox.lockUser(alice);
    await untilReceived(1);
    const [first] = received;
    const [time = ''] = /\d+/.exec(String(first?.headers['zitadel-signature'])) ?? [];
    const mac = createHmac('sha256', String(body['signingKey'])).update(`${time}.${first?.body}`);
    expect(first?.path).toBe('/new');
    expect(first?.headers['zitadel-signature']).toBe(`t=${time},v1=${mac.digest('hex')}`);
    await manage(sandbox, `${ACTIONS}/DeleteTarget`, { id: hook.id });
    await on({ event: 'user.unlocked' }, await target('/other'));
    sandbox.lockUser(alice);
    sandbox.unlockUser(alice);
    await untilReceived(2);
    expect(received.map(({ path }) => path)).toEqual(['/new', '/other']);
  });

  it('is for the role IAM_OWNER alone', async () => {
    await withSandbox({ empty: true }, async (other) => {
      const user = { organizationId: acme, username: 'robot-owner', machine: { name: 'Robot' } };
      const { body } = await manage(other, 'user.v2.UserService/CreateUser', user);
      const userId = String(body['id']);
      const administrator = { userId, resource: { organizationId: acme }, roles: ['ORG_OWNER'] };
      await manage(
        other,
        'internal_permission.v2.InternalPermissionService/CreateAdministrator',
        administrator,
      );
      const pat = await manage(other, 'user.v2.UserService/AddPersonalAccessToken', {
        userId,
        expirationDate: '2046-01-01T00:00:00Z',
      });
      const answer = await manage(other, `${ACTIONS}/ListTargets`, {}, String(pat.body['token']));
      expect(answer).toMatchObject({ status: 403, body: { code: 'permission_denied' } });
      expect(answer.body['message']).toBe('No matching permissions found (AUTH-5mWD2)');
    });
  });
});

/** Every event that the sandbox sends and that was recorded. */
async function makeEvents(): Promise<void> {
  const login = new RelyingParty(sandbox);
  const { id_token: hint } = await login.signIn(alice);
  await login.endSession({ id_token_hint: hint });
  sandbox.setPassword(alice, 'Password2!');
  sandbox.lockUser(alice);
  sandbox.unlockUser(alice);
  sandbox.setUserActive(alice, false);
  sandbox.setUserActive(alice, true);
  await changeAuthorizations();
  await manage(sandbox, 'project.v2.ProjectService/RemoveProjectRole', { ...patient, roleKey: 'admin' });
  sandbox.removeUser(alice);
  await untilReceived(14);
}

async function changeAuthorizations(): Promise<void> {
  const service = 'authorization.v2.AuthorizationService';
  const userId = sandbox.users.find(({ loginName }) => loginName === alice)?.id ?? '';
  const filters = [{ inUserIds: { ids: [userId] } }];
  const { body } = await manage(sandbox, `${service}/ListAuthorizations`, { filters });
  const [{ id = '' } = {}] = body['authorizations'] as { id?: string }[];
  await manage(sandbox, `${service}/DeactivateAuthorization`, { id });
  await manage(sandbox, `${service}/ActivateAuthorization`, { id });
  await manage(sandbox, `${service}/DeleteAuthorization`, { id });
  const made = { userId, projectId: patient.projectId, organizationId: acme, roleKeys: ['admin'] };
  const { body: added } = await manage(sandbox, `${service}/CreateAuthorization`, made);
  await manage(sandbox, `${service}/UpdateAuthorization`, { id: added['id'], roleKeys: ['admin', 'editor'] });
}
