import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { listen } from '../src/http/listen.js';
import { RelyingParty } from './support/relying-party.js';

interface Delivery {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  logoutToken: string;
}

let receiver: Server;
/** the statuses of the next responses; 200 after them */
let statuses: number[];
let holdBackMs: number;
let origin: string;
let deliveries: Delivery[];
let sandbox: Sandbox;
let client: RelyingParty;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const logoutToken = new URLSearchParams(body).get('logout_token') ?? '';
      const { method = '', url: path = '', headers } = request;
      deliveries.push({ method, path, headers, logoutToken });
      const status = statuses.shift() ?? 200;
      const location = status > 300 && status < 400 ? { location: '/elsewhere' } : {};
      setTimeout(() => response.writeHead(status, location).end(), holdBackMs);
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  sandbox = await startSandbox({
    web: { backChannelLogoutUri: `${origin}/web` },
    second: { backChannelLogoutUri: `${origin}/second` },
    backChannelRetryDelayMs: 5,
  });
  client = new RelyingParty(sandbox);
});
afterAll(async () => {
  await sandbox.close();
  receiver.closeAllConnections();
  receiver.close();
});
beforeEach(() => {
  statuses = [];
  holdBackMs = 0;
  deliveries = [];
  sandbox.backChannelDeliveries.length = 0;
});

async function until(isReached: () => boolean): Promise<void> {
  for (let tries = 0; !isReached() && tries < 200; tries++) await pause(10);
}

function onlyDelivery(): Delivery {
  const [delivery, ...others] = deliveries;
  if (!delivery || others.length > 0) throw new Error(`${deliveries.length} deliveries`);
  return delivery;
}

describe('In back-channel logout,', () => {
  it('the logout token is posted as logout_token=<JWT> with typ JWT and iss, sub, aud, iat, exp, jti, events, sid, without nonce', async () => {
    const { id_token, claims } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    const { path, headers, logoutToken } = onlyDelivery();
    expect(path).toBe('/web');
    expect(headers).toEqual({
      'accept-encoding': 'gzip',
      connection: 'close',
      'content-length': String(new URLSearchParams({ logout_token: logoutToken }).toString().length),
      'content-type': 'application/x-www-form-urlencoded',
      host: new URL(origin).host,
      'user-agent': 'Go-http-client/1.1',
    });
    expect(decodeProtectedHeader(logoutToken).typ).toBe('JWT');
    const keys = createRemoteJWKSet(new URL(`${sandbox.issuer}/oauth/v2/keys`));
    const { payload } = await jwtVerify(logoutToken, keys, { issuer: sandbox.issuer });
    expect(payload).toEqual({
      iss: sandbox.issuer,
      sub: claims.sub,
      aud: [sandbox.clients.web.clientId],
      iat: expect.any(Number),
      exp: expect.any(Number),
      jti: expect.any(String),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      sid: claims['sid'],
    });
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(15 * 60 + 1);
    expect(payload.iat).toBeLessThan(Date.now() / 1000);
  });

  it('the iss of the logout token is the option issuer, such as the origin of a reverse proxy', async () => {
    const free = await listen(0);
    await free.close();
    const proxy = createTcpServer((socket) => void socket.pipe(connect(free.port, '127.0.0.1')).pipe(socket));
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    const issuer = `http://localhost:${(proxy.address() as AddressInfo).port}`;
    const web = { backChannelLogoutUri: `${origin}/web` };
    const proxied = await startSandbox({ port: free.port, issuer, web });
    const party = new RelyingParty(proxied);
    const { id_token } = await party.signIn();
    await party.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    await proxied.close();
    proxy.close();
    expect(proxied.issuer).toBe(issuer);
    expect(decodeJwt(onlyDelivery().logoutToken).iss).toBe(issuer);
  });

  it('exactly the clients that got tokens in the session are notified', async () => {
    const { id_token } = await client.signIn('alice@acme.example', { prompt: 'login' });
    const second = new RelyingParty(sandbox, sandbox.clients.second, 'http://localhost:3002/auth/callback');
    const { location } = await client.browser.get((await client.browser.get(second.authorizeUrl())).location);
    await second.redeem(new URL(location).searchParams.get('code') ?? '');
    const stranger = new RelyingParty(sandbox);
    await stranger.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 1);
    await pause(30);
    expect(deliveries.map(({ path }) => path).sort()).toEqual(['/second', '/web']);
  });

  it('a client that did not redeem its code is not notified', async () => {
    const party = new RelyingParty(sandbox);
    const { id_token } = await party.signIn();
    const second = new RelyingParty(sandbox, sandbox.clients.second, 'http://localhost:3002/auth/callback');
    await party.browser.get((await party.browser.get(second.authorizeUrl())).location);
    await party.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    await pause(30);
    expect(deliveries.map(({ path }) => path)).toEqual(['/web']);
  });

  it('two code exchanges of one client in a session cause two requests, each with its own jti', async () => {
    const party = new RelyingParty(sandbox);
    const { id_token, claims } = await party.signIn();
    const { location } = await party.login();
    await party.redeem(new URL(location).searchParams.get('code') ?? '');
    await party.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 1);
    await pause(30);
    const tokens = deliveries.map(({ logoutToken }) => decodeJwt(logoutToken));
    expect(tokens.map(({ sub, aud, sid }) => [sub, aud, sid])).toEqual(
      Array(2).fill([claims.sub, [party.client.clientId], claims['sid']]),
    );
    expect(new Set(tokens.map(({ jti }) => jti)).size).toBe(2);
  });

  it('a retry has the same jti and a new iat', async () => {
    const other = await startSandbox({
      web: { backChannelLogoutUri: `${origin}/web` },
      backChannelRetryDelayMs: 1_100,
      backChannelTries: 2,
    });
    statuses = [500, 500, 500];
    const party = new RelyingParty(other);
    const { id_token } = await party.signIn();
    await party.endSession({ id_token_hint: id_token });
    await until(() => other.backChannelDeliveries.length > 1);
    await pause(30);
    await other.close();
    const [first, second, ...others] = deliveries.map(({ logoutToken }) => decodeJwt(logoutToken));
    expect(others).toEqual([]);
    expect(second?.jti).toBe(first?.jti);
    expect(Number(second?.iat)).toBeGreaterThan(Number(first?.iat));
  });

  it('requests are sent one at a time: a slow response delays the next request', async () => {
    holdBackMs = 60;
    const parties = [new RelyingParty(sandbox), new RelyingParty(sandbox), new RelyingParty(sandbox)];
    const ended = await Promise.all(parties.map((party) => party.signIn()));
    for (const { id_token } of ended) await client.endSession({ id_token_hint: id_token });
    await until(() => sandbox.backChannelDeliveries.length > 2);
    const [first, second, third] = sandbox.backChannelDeliveries.map(({ at }) => at);
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(50);
    expect(Number(third) - Number(second)).toBeGreaterThanOrEqual(50);
  });

  it('a redirect is followed with a GET without the token, and the final status decides', async () => {
    statuses = [302, 204];
    const { id_token } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => sandbox.backChannelDeliveries.length > 0);
    expect(deliveries.map(({ method, path }) => [method, path])).toEqual([
      ['POST', '/web'],
      ['GET', '/elsewhere'],
    ]);
    expect(sandbox.backChannelDeliveries.map(({ status }) => status)).toEqual([204]);
  });

  it('with the default deny list nothing is sent and no error is reported', async () => {
    const party = new RelyingParty(sandbox);
    const { id_token } = await party.signIn();
    sandbox.setBackChannelDenied(true);
    const { status } = await party.endSession({ id_token_hint: id_token });
    await pause(50);
    sandbox.setBackChannelDenied(false);
    expect([status, deliveries, sandbox.backChannelDeliveries]).toEqual([302, [], []]);
  });

  it('the revocation of a refresh token notifies no client', async () => {
    const { refresh_token } = await client.signIn();
    await client.revoke(refresh_token);
    await pause(50);
    expect(deliveries).toEqual([]);
  });

  it('a session that has already ended notifies no client again', async () => {
    const { id_token } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await client.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    await pause(30);
    expect(deliveries).toHaveLength(1);
  });

  it.each([
    ['200 ends the delivery', [200], 1],
    ['202 ends the delivery', [202], 1],
    ['204 ends the delivery', [204], 1],
    ['400 ends the delivery', [400], 1],
    ['503 leads to a retry', [503, 204], 2],
    ['500 leads to 3 attempts at most', [500, 500, 500, 500], 3],
  ])('the number of attempts depends on the status: %s', async (_case, answers, attempts) => {
    statuses = [...answers];
    const { id_token } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => sandbox.backChannelDeliveries.length >= attempts);
    await pause(40);
    expect(deliveries).toHaveLength(attempts);
    expect(sandbox.backChannelDeliveries.map(({ status }) => status)).toEqual(answers.slice(0, attempts));
    expect(sandbox.backChannelDeliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3].slice(0, attempts));
  });
});

it('The option backChannelDenied enables the deny list from the start', async () => {
  const other = await startSandbox({
    web: { backChannelLogoutUri: `${origin}/web` },
    backChannelDenied: true,
  });
  const party = new RelyingParty(other);
  const { id_token } = await party.signIn();
  await party.endSession({ id_token_hint: id_token });
  await pause(50);
  await other.close();
  expect(deliveries).toEqual([]);
});

it('A client that is not reachable gets three attempts, which do not delay the logout', async () => {
  const other = await startSandbox({
    web: { backChannelLogoutUri: 'http://127.0.0.1:1/nobody' },
    backChannelRetryDelayMs: 1,
  });
  const party = new RelyingParty(other);
  const { id_token } = await party.signIn();
  expect((await party.endSession({ id_token_hint: id_token })).status).toBe(302);
  await until(() => other.backChannelDeliveries.length >= 3);
  await other.close();
  expect(other.backChannelDeliveries.map(({ status }) => status)).toEqual([null, null, null]);
});

it('A response after the timeout counts as no response', async () => {
  const silent = createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const other = await startSandbox({
    web: { backChannelLogoutUri: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/` },
    backChannelRetryDelayMs: 1,
    backChannelTimeoutMs: 20,
  });
  const party = new RelyingParty(other);
  const { id_token } = await party.signIn();
  await party.endSession({ id_token_hint: id_token });
  await until(() => other.backChannelDeliveries.length >= 3);
  await other.close();
  silent.closeAllConnections();
  silent.close();
  expect(other.backChannelDeliveries.map(({ status }) => status)).toEqual([null, null, null]);
});

it('close() does not wait for retries', async () => {
  const other = await startSandbox({
    web: { backChannelLogoutUri: 'http://127.0.0.1:1/nobody' },
    backChannelRetryDelayMs: 60_000,
  });
  const party = new RelyingParty(other);
  const { id_token } = await party.signIn();
  await party.endSession({ id_token_hint: id_token });
  await until(() => other.backChannelDeliveries.length >= 1);
  await other.close();
  expect(other.backChannelDeliveries).toHaveLength(1);
});

it('startSandbox() refuses a back-channel URI that is not on a loopback address', async () => {
  const start = startSandbox({ web: { backChannelLogoutUri: 'https://app.example/logout' } });
  await expect(start).rejects.toThrow('web.backChannelLogoutUri: expected a URI on a loopback address');
});
