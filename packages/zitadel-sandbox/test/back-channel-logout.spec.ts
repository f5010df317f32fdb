import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { RelyingParty } from './support/relying-party.js';

interface Delivery {
  path: string;
  contentType: string | undefined;
  logoutToken: string;
}

let receiver: Server;
let statuses: number[];
let deliveries: Delivery[];
let sandbox: Sandbox;
let client: RelyingParty;

beforeAll(async () => {
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const logoutToken = new URLSearchParams(body).get('logout_token') ?? '';
      deliveries.push({ path: request.url ?? '', contentType: request.headers['content-type'], logoutToken });
      response.writeHead(statuses.shift() ?? 200).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
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
  deliveries = [];
  sandbox.backChannelDeliveries.length = 0;
});

async function until(isReached: () => boolean): Promise<void> {
  for (let tries = 0; !isReached() && tries < 200; tries++) await wait(10);
}

describe('back-channel logout_token', () => {
  it('POST form logout_token=<JWT>: header typ "JWT"; iss, sub, aud, iat, exp, jti, events, sid; no nonce', async () => {
    const { id_token, claims } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    const [{ path, contentType, logoutToken } = { path: '', contentType: '', logoutToken: '' }] = deliveries;
    expect([path, contentType?.split(';')[0]]).toEqual(['/web', 'application/x-www-form-urlencoded']);
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

  it('every client that got tokens in the session is told, and only these', async () => {
    const { id_token } = await client.signIn('alice@acme.example', { prompt: 'login' });
    const second = new RelyingParty(sandbox, sandbox.clients.second, 'http://localhost:3002/auth/callback');
    const { location } = await client.browser.get((await client.browser.get(second.authorizeUrl())).location);
    await second.redeem(new URL(location).searchParams.get('code') ?? '');
    const stranger = new RelyingParty(sandbox);
    await stranger.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 1);
    await wait(30);
    expect(deliveries.map(({ path }) => path).sort()).toEqual(['/second', '/web']);
  });

  it('registered at code exchange: a client that never redeemed its code is not told', async () => {
    const party = new RelyingParty(sandbox);
    const { id_token } = await party.signIn();
    const second = new RelyingParty(sandbox, sandbox.clients.second, 'http://localhost:3002/auth/callback');
    await party.browser.get((await party.browser.get(second.authorizeUrl())).location);
    await party.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    await wait(30);
    expect(deliveries.map(({ path }) => path)).toEqual(['/web']);
  });

  it('a session that ended already is not told again', async () => {
    const { id_token } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await client.endSession({ id_token_hint: id_token });
    await until(() => deliveries.length > 0);
    await wait(30);
    expect(deliveries).toHaveLength(1);
  });

  it.each([
    ['200 = done', [200], 1],
    ['202 = done', [202], 1],
    ['204 = done', [204], 1],
    ['400 = no retry', [400], 1],
    ['503 once, then done', [503, 204], 2],
    ['up to 3 attempts', [500, 500, 500, 500], 3],
  ])('%s', async (_case, answers, attempts) => {
    statuses = [...answers];
    const { id_token } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    await until(() => sandbox.backChannelDeliveries.length >= attempts);
    await wait(40);
    expect(deliveries).toHaveLength(attempts);
    expect(sandbox.backChannelDeliveries.map(({ status }) => status)).toEqual(answers.slice(0, attempts));
    expect(sandbox.backChannelDeliveries.map(({ attempt }) => attempt)).toEqual([1, 2, 3].slice(0, attempts));
  });
});

it('nobody listens: three attempts, the logout itself is not held up', async () => {
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

it('an answer that takes longer than the timeout counts as none', async () => {
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

it('close stops retries at once', async () => {
  const other = await startSandbox({
    web: { backChannelLogoutUri: 'http://127.0.0.1:1/nobody' },
    backChannelRetryDelayMs: 60_000,
  });
  const party = new RelyingParty(other);
  const { id_token } = await party.signIn();
  await party.endSession({ id_token_hint: id_token });
  await until(() => other.backChannelDeliveries.length >= 1);
  const before = Date.now();
  await other.close();
  expect(Date.now() - before).toBeLessThan(1000);
});

it('refuses a back-channel URI that is not on this machine', async () => {
  const start = startSandbox({ web: { backChannelLogoutUri: 'https://app.example/logout' } });
  await expect(start).rejects.toThrow('web.backChannelLogoutUri must be an address of this machine');
});
