import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import {
  defaultIds,
  defaultUsers,
  PortInUseError,
  readUsers,
  startSandbox,
  UserFileError,
  type Sandbox,
  type SandboxOptions,
} from '../src/index.js';
import { listen } from '../src/http/listen.js';
import { Browser } from './support/browser.js';
import { RelyingParty } from './support/relying-party.js';

let sandbox: Sandbox | undefined;

async function start(options?: SandboxOptions): Promise<Sandbox> {
  return (sandbox = await startSandbox(options));
}

afterEach(async () => {
  await sandbox?.close();
  sandbox = undefined;
});

describe('startSandbox()', () => {
  it('uses a free port and the same ids on every start', async () => {
    const one = await start();
    const other = await startSandbox();
    await other.close();
    expect(one.issuer).not.toBe(other.issuer);
    expect(one.clients.web.clientId).toBe(defaultIds.web);
    expect(one.clients.web.clientId).toBe(other.clients.web.clientId);
    expect(one.users.map(({ id }) => id)).toEqual(other.users.map(({ id }) => id));
    expect(one.users.map(({ loginName }) => loginName)).toEqual(
      defaultUsers.map(({ loginName }) => loginName),
    );
  });

  it('returns a sandbox that responds, at every start', async () => {
    for (let count = 0; count < 3; count++) {
      const { issuer } = await start();
      expect((await fetch(`${issuer}/oauth/v2/keys`)).status).toBe(200);
      await sandbox?.close();
    }
  });

  it('uses the given port', async () => {
    const { issuer } = await start();
    await sandbox?.close();
    const port = Number(new URL(issuer).port);
    expect((await start({ port })).issuer).toBe(issuer);
  });

  it('reports a port in use with one line that suggests another port', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const refused = startSandbox({ port });
    await expect(refused).rejects.toThrow(PortInUseError);
    await expect(refused).rejects.toThrow(
      `Port ${port} is in use. Stop the program that listens on it, or choose another port: --port ${port + 1}`,
    );
    taken.close();
  });

  it('suggests port 0 when the last port is in use', () => {
    expect(new PortInUseError(65535).message).toBe(
      'Port 65535 is in use. Stop the program that listens on it, or choose another port: --port 0',
    );
  });

  it('refuses to start with NODE_ENV=production', async () => {
    const before = process.env['NODE_ENV'];
    process.env['NODE_ENV'] = 'production';
    try {
      await expect(startSandbox()).rejects.toThrow('it does not start with NODE_ENV=production');
    } finally {
      process.env['NODE_ENV'] = before;
    }
  });

  it('creates a web client with a secret for basic and with a key for private_key_jwt', async () => {
    const { web } = (await start({ web: { authMethod: 'basic' } })).clients;
    await sandbox?.close();
    const keyed = (await start({ web: { authMethod: 'private_key_jwt' } })).clients.web;
    expect(web.clientSecret).toEqual(expect.any(String));
    expect(keyed.key).toMatchObject({ type: 'application', clientId: keyed.clientId, appId: keyed.appId });
  });

  it('prints nothing', async () => {
    const spies = (['log', 'info', 'warn', 'error'] as const).map((method) => jest.spyOn(console, method));
    await new RelyingParty(await start()).signIn();
    const calls = spies.flatMap((spy) => spy.mock.calls);
    spies.forEach((spy) => spy.mockRestore());
    expect(calls).toEqual([]);
  });
});

describe('The request log', () => {
  it('has method, path, query, form, headers, status and at of each request, and grants() selects by grant_type', async () => {
    const one = await start();
    const client = new RelyingParty(one);
    const { refresh_token } = await client.signIn();
    await client.refresh(refresh_token);
    await client.refresh(refresh_token);
    const authorize = one.requests.find(({ path }) => path === '/oauth/v2/authorize');
    expect(authorize).toMatchObject({ method: 'GET', status: 302, query: { state: 'the-state' }, form: {} });
    expect(Math.abs(Date.now() - (authorize?.at ?? 0))).toBeLessThan(5000);
    expect(one.grants('authorization_code').map(({ status }) => status)).toEqual([200]);
    expect(one.grants('refresh_token').map(({ status }) => status)).toEqual([200, 400]);
    expect(one.grants('refresh_token')[0]).toMatchObject({
      method: 'POST',
      form: { refresh_token },
      headers: { host: new URL(one.issuer).host },
    });
  });
});

describe('The request log with its limits', () => {
  it('contains requests for another host and requests that are too large', async () => {
    const one = await start();
    const { port } = new URL(one.issuer);
    await new Browser().get(`http://127.0.0.1:${port}/oauth/v2/keys`);
    await new RelyingParty(one).token({ grant_type: 'x'.repeat(11_000_000) });
    expect(one.requests.map(({ path, status }) => [path, status])).toEqual([
      ['/oauth/v2/keys', 404],
      ['/oauth/v2/token', 400],
    ]);
  });

  it('keeps the latest 10 000 requests and back-channel deliveries', async () => {
    const one = await start({
      web: { backChannelLogoutUri: 'http://127.0.0.1:1/nobody' },
      backChannelRetryDelayMs: 60_000,
    });
    const client = new RelyingParty(one);
    const { id_token } = await client.signIn();
    const [request] = one.requests;
    if (!request) throw new Error('the login is recorded');
    while (one.requests.length < 10_000) one.requests.push(request);
    const delivery = { uri: '', clientId: '', sid: '', attempt: 1, status: 200, at: 0 };
    while (one.backChannelDeliveries.length < 10_000) one.backChannelDeliveries.push(delivery);
    await client.endSession({ id_token_hint: id_token });
    while (one.backChannelDeliveries.at(-1) === delivery) await pause(10);
    expect([one.requests.length, one.backChannelDeliveries.length]).toEqual([10_000, 10_000]);
    expect(one.requests.at(-1)?.path).toBe('/oidc/v1/end_session');
  });
});

describe('The listener', () => {
  it('binds only 127.0.0.1 and, if the machine has it, ::1', async () => {
    const listener = await listen(0);
    await listener.close();
    expect(listener.addresses[0]).toBe('127.0.0.1');
    expect(listener.addresses.slice(1).filter((address) => address !== '::1')).toEqual([]);
  });

  it('refuses connections on all other addresses of this machine', async () => {
    const one = await start();
    const port = Number(new URL(one.issuer).port);
    const external = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
      addresses
        .filter(({ internal }) => !internal)
        .map(({ address, scopeid }) => (scopeid ? `${address}%${name}` : address)),
    );
    const outcomes = await Promise.all(external.map((host) => outcomeOfConnecting(host, port)));
    expect(outcomes).toEqual(external.map(() => 'ECONNREFUSED'));
    expect(await outcomeOfConnecting('127.0.0.1', port)).toBe('connected');
  });
});

async function outcomeOfConnecting(host: string, port: number): Promise<string | undefined> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    socket.destroy();
  }
}

describe('A fault', () => {
  it('of fail() makes an endpoint return a status without handling requests, until it is reset', async () => {
    const one = await start();
    const client = new RelyingParty(one);
    const { refresh_token } = await client.signIn();
    one.fail('/oauth/v2/token', 503);
    expect((await client.refresh(refresh_token)).status).toBe(503);
    one.fail('/oauth/v2/token', null);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it('of delay() makes an endpoint handle requests and respond late, until it is reset', async () => {
    const one = await start();
    const client = new RelyingParty(one);
    one.delay('/.well-known/openid-configuration', 2_000);
    const order: string[] = [];
    const ask = async (name: string) => {
      await client.browser.get(`${one.issuer}/.well-known/openid-configuration`);
      order.push(name);
    };
    const late = ask('late');
    while (one.requests.length === 0) await pause(1);
    one.delay('/.well-known/openid-configuration', 0);
    await ask('at once');
    await late;
    expect(order).toEqual(['at once', 'late']);
  });

  it('for an unknown user throws an error', async () => {
    const one = await start();
    expect(() => one.setUserActive('nobody', false)).toThrow('Unknown user nobody');
    expect(() => one.grantRole('nobody', 'admin')).toThrow('Unknown user nobody');
  });
});

it('A client that closes the connection leads to no console output', async () => {
  const one = await start();
  const spy = jest.spyOn(console, 'error');
  const { port } = new URL(one.issuer);
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(
    `POST /oauth/v2/token HTTP/1.1\r\nHost: localhost:${port}\r\nContent-Length: 99\r\n` +
      'Content-Type: application/x-www-form-urlencoded\r\n\r\ngrant_type=',
  );
  await pause(50);
  socket.destroy();
  await pause(50);
  const { calls } = spy.mock;
  spy.mockRestore();
  expect(calls).toEqual([]);
});

describe('close()', () => {
  it('frees the port without waiting for keep-alive connections or delayed responses', async () => {
    const one = await start();
    const client = new RelyingParty(one);
    await client.signIn();
    one.delay('/oauth/v2/keys', 60_000);
    const late = client.browser.get(`${one.issuer}/oauth/v2/keys`).catch(() => 'cut off');
    while (!one.requests.some(({ path }) => path === '/oauth/v2/keys')) await new Promise(setImmediate);
    await one.close();
    expect(await late).toBe('cut off');
    sandbox = await startSandbox({ port: Number(new URL(one.issuer).port) });
  });
});

describe('A list of users', () => {
  it('has defaults for everything but the login name', async () => {
    const one = await start({
      users: readUsers([{ loginName: 'dora@initech.example', organization: 'Initech' }]),
    });
    expect(one.users).toHaveLength(1);
    expect(one.users[0]).toMatchObject({
      kind: 'human',
      id: expect.stringMatching(/^\d{18}$/),
      password: 'Password1!',
      displayName: 'dora@initech.example',
      roles: [],
      active: true,
    });
    const client = new RelyingParty(one);
    const scope = 'openid profile urn:zitadel:iam:user:resourceowner';
    const { access_token } = await client.signIn('dora@initech.example', { scope });
    expect((await client.userinfo(access_token)).json).toMatchObject({
      name: 'dora@initech.example',
      'urn:zitadel:iam:user:resourceowner:primary_domain': 'initech.example',
    });
  });

  it('adds its roles to the project', async () => {
    const one = await start({ users: [{ loginName: 'dora', roles: ['pilot'] }] });
    const { access_token } = await new RelyingParty(one).signIn('dora');
    const info = await new RelyingParty(one).userinfo(access_token);
    expect(info.json['urn:zitadel:iam:org:project:roles']).toHaveProperty('pilot');
  });

  it.each([
    [{}, 'users: Invalid input: expected array'],
    [[], 'users: expected at least one user'],
    [['dora'], 'users[0]: Invalid input: expected object'],
    [[{}], 'users[0].loginName: Invalid input: expected string, received undefined'],
    [[{ loginName: '' }], 'users[0].loginName: Too small: expected string to have >=1 characters'],
    [[{ loginName: 'a', roles: 'admin' }], 'users[0].roles: Invalid input: expected array'],
    [[{ loginName: 'a', emailVerified: 'yes' }], 'users[0].emailVerified: Invalid input: expected boolean'],
    [
      [{ loginName: 'a', gender: 'x' }],
      'users[0].gender: Invalid option: expected one of "female"|"male"|"diverse"',
    ],
    [
      [{ loginName: 'a', kind: ['human'] }],
      'users[0].kind: Invalid option: expected one of "human"|"machine"',
    ],
    [[{ loginName: 'a', id: defaultIds.web }], 'users[0].id: is already the id of an application'],
    [[{ loginName: 'a', id: defaultIds.foreignApi }], 'users[0].id: is already the id of an application'],
    [[{ loginName: 'a', id: 12 }], 'users[0].id: Invalid input: expected string, received number'],
    [[{ loginName: 'a', metadata: { a: 1 } }], 'users[0].metadata.a: Invalid input: expected string'],
    [[{ loginName: 'a', grants: {} }], 'users[0].grants: Invalid input: expected array'],
    [[{ loginName: 'a', grants: ['admin'] }], 'users[0].grants[0]: Invalid input: expected object'],
    [
      [{ loginName: 'a', grants: [{ roles: 1 }] }],
      'users[0].grants[0].roles: Invalid input: expected array, received number',
    ],
    [
      [{ loginName: 'a', grants: [{ organization: 'Acme' }] }],
      'users[0].grants[0].roles: Invalid input: expected array, received undefined',
    ],
    [
      [{ loginName: 'a', grants: [{ roles: ['admin'] }, { roles: [], projectId: 1 }] }],
      'users[0].grants[1].projectId: Invalid input: expected string',
    ],
    [
      [{ loginName: 'a', grants: [{ roles: [], role: 'x' }] }],
      'users[0].grants[0]: Unrecognized key: "role"',
    ],
    [[{ loginName: 'a', constructor: 1 }], 'users[0]: Unrecognized key: "constructor"'],
    [[{ loginName: 'a' }, { loginName: 'a' }], 'users[1].loginName: duplicate'],
    [
      [
        { loginName: 'a', id: '1' },
        { loginName: 'b', id: '1' },
      ],
      'users[1].id: duplicate',
    ],
  ])('is refused when it is %j: %s', (document, problem) => {
    expect(() => readUsers(document)).toThrow(UserFileError);
    expect(() => readUsers(document)).toThrow(problem);
  });

  it('is refused with all problems at once', () => {
    expect(() => readUsers([{ roles: 1 }, { loginName: 2 }])).toThrow(
      '  users[0].loginName: Invalid input: expected string, received undefined\n  users[0].roles: Invalid input: expected array, received number\n  users[1].loginName: Invalid input: expected string, received number',
    );
  });
});

it('A request that arrives before the sandbox is ready gets its response as soon as it is', async () => {
  const listener = await listen(0);
  const early = fetch(`http://127.0.0.1:${listener.port}/`);
  await pause(50);
  listener.setHandler((_request, response) => response.end('ready'));
  const late = fetch(`http://127.0.0.1:${listener.port}/`);
  const texts = [await (await early).text(), await (await late).text()];
  await listener.close();
  expect(texts).toEqual(['ready', 'ready']);
});
