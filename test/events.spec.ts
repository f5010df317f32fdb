import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ZitadelModule } from '@mridang/nestjs-zitadel';
import { Test } from '@nestjs/testing';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { SharedState } from '../packages/nestjs-zitadel/src/state/shared-state.js';
import type { Browser } from './support/browser.js';
import {
  eventOf,
  eventTarget,
  manage,
  managed,
  OWN_KEY,
  sendEvent,
  signatureOf,
} from './support/event-target.js';
import { moveTime } from './support/move-time.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { until } from './support/until.js';

const ALICE = 'alice@acme.example';
const BOB = 'bob@acme.example';
const PATH = '/auth/zitadel-events';
const USERINFO = '/oidc/v1/userinfo';
/** Until then Zitadel may answer with the former roles. */
const SETTLED_MS = 1_000;

let app: RunningApp;
let log: string[];
beforeAll(async () => {
  log = [];
  app = await startApp({ log, env: eventTarget, sandbox: managed });
});
afterAll(() => app?.close());
afterEach(() => {
  app.sandbox.setUserActive(ALICE, true);
  log.length = 0;
});

async function signedIn(loginName: string, of = app): Promise<Browser> {
  const browser = of.browser();
  await signIn(browser, loginName);
  return browser;
}

/** 200, or 401 where the session has ended. */
async function statusOf(browser: Browser, path = '/profile'): Promise<number> {
  const cookie = await browser.jar.getCookieString(app.origin);
  return (await fetch(app.origin + path, { redirect: 'manual', headers: { cookie } })).status;
}

const isDelivered = (type: string) => () =>
  app.sandbox.eventDeliveries.some(({ eventType, status }) => eventType === type && status === 200);

/** Answered ones: their content does not change any more, also where its way takes long. */
const answered = () =>
  app.sandbox.requests.filter(({ path, status }) => path === USERINFO && status === 200).length;

const asked = () => app.sandbox.requests.filter(({ path }) => path === USERINFO).length;

const send = (body: string, headers: Parameters<typeof sendEvent>[2] = {}) =>
  sendEvent(app.origin + PATH, body, headers);

const idOf = (loginName: string) => app.sandbox.users.find((user) => user.loginName === loginName)?.id ?? '';

describe('an event about a user', () => {
  it.each<[string, () => void]>([
    ['user.deactivated', () => app.sandbox.setUserActive(ALICE, false)],
    ['user.locked', () => app.sandbox.lockUser(ALICE)],
    ['user.human.password.changed', () => app.sandbox.setPassword(ALICE, 'another password')],
  ])('ends all sessions of that user with the next request, and no other: %s', async (type, happen) => {
    const [first, second, other] = [await signedIn(ALICE), await signedIn(ALICE), await signedIn(BOB)];
    const before = asked();
    happen();
    await until(isDelivered(type));
    expect([await statusOf(first), await statusOf(second), await statusOf(other)]).toEqual([401, 401, 200]);
    expect(asked()).toBe(before);
  });

  it('ends all sessions of that user: user.removed', async () => {
    const browser = await signedIn('carol@globex.example');
    app.sandbox.removeUser('carol@globex.example');
    await until(isDelivered('user.removed'));
    expect(await statusOf(browser)).toBe(401);
  });

  it('ends no session that began afterwards, however often it is repeated', async () => {
    const before = await signedIn(ALICE);
    const event = eventOf('user.locked', { aggregateID: idOf(ALICE), sequence: 70 });
    expect((await send(event)).status).toBe(200);
    expect(await statusOf(before)).toBe(401);
    moveTime(1_000);
    const after = await signedIn(ALICE);
    for (let time = 0; time < 3; time++) expect((await send(event)).status).toBe(200);
    expect(await statusOf(after)).toBe(200);
  });

  it('ends no session of a login after it, however late it comes: a password is changed on the way to the application', async () => {
    const created_at = new Date().toISOString();
    moveTime(100);
    const browser = await signedIn(ALICE);
    const event = eventOf('user.human.password.changed', {
      aggregateID: idOf(ALICE),
      sequence: 71,
      created_at,
    });
    expect((await send(event)).status).toBe(200);
    await until(() => log.some((line) => line.includes('user.human.password.changed')));
    expect(await statusOf(browser)).toBe(200);
  });

  it('ends a session of a login before it whose code is redeemed later', async () => {
    const browser = app.browser();
    const callback = await browser.stopAt('/auth/callback', () => signIn(browser, ALICE));
    moveTime(1_000);
    const event = eventOf('user.human.password.changed', { aggregateID: idOf(ALICE), sequence: 72 });
    expect((await send(event)).status).toBe(200);
    moveTime(1_000);
    expect((await browser.get(callback)).url.searchParams.get('reason')).toBe('revoked');
    expect((await signIn(browser, ALICE)).url.pathname).toBe('/profile');
  });

  it('is answered before its effect, which may take its time', async () => {
    const browser = await signedIn(ALICE);
    const state = app.app.get(SharedState);
    const add = state.add.bind(state);
    let begin = () => {};
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const slow = jest.spyOn(state, 'add').mockImplementation(async (...entry) => {
      await begun;
      return add(...entry);
    });
    const event = eventOf('user.locked', { aggregateID: idOf(ALICE), sequence: 73 });
    expect((await send(event)).status).toBe(200);
    expect(await statusOf(browser)).toBe(200);
    slow.mockRestore();
    begin();
    await until(async () => (await statusOf(browser)) === 401);
  });

  it('leads to no log line with the hash of a password or the id of the user', async () => {
    app.sandbox.setPassword(ALICE, 'yet another password');
    await until(() => log.some((line) => line.includes('user.human.password.changed')));
    const { body = '' } =
      app.sandbox.eventDeliveries.findLast(({ body: sent }) => sent.includes('encodedHash')) ?? {};
    const { event_payload } = JSON.parse(body) as { event_payload: { encodedHash: string } };
    expect(event_payload.encodedHash).toHaveLength(60);
    expect(log.join()).not.toContain(event_payload.encodedHash);
    expect(log.join()).not.toContain('encodedHash');
    expect(log.join()).not.toContain(idOf(ALICE));
  });
});

describe('an event about a session', () => {
  it('ends it by its sid, and no other of that user: session.terminated', async () => {
    const [browser, other] = [await signedIn(ALICE), await signedIn(ALICE)];
    const logout = await browser.get(`${app.sandbox.issuer}/oidc/v1/end_session`);
    const sid = logout.document.querySelector('button[name="session"]')?.getAttribute('value') ?? '';
    await browser.submit(logout, 'form', { button: sid });
    await until(isDelivered('session.terminated'));
    expect([await statusOf(browser), await statusOf(other)]).toEqual([401, 200]);
  });
});

describe('an event about an authorization', () => {
  afterEach(() => {
    app.sandbox.delay(USERINFO, 0);
    app.sandbox.revokeRole(BOB, 'admin');
    moveTime(21_000); // What events have asked for is done by then.
  });

  it('has the claims read again at the next request of the user that it names, and not at every request', async () => {
    const [bob, alice] = [await signedIn(BOB), await signedIn(ALICE)];
    expect(await statusOf(bob, '/admin')).toBe(403);
    app.sandbox.grantRole(BOB, 'admin');
    await until(isDelivered('user.grant.changed'));
    const before = asked();
    expect((await bob.get('/admin')).status).toBe(200);
    moveTime(1_000); // Until then Zitadel may have answered with the former roles.
    expect((await bob.get('/admin')).status).toBe(200);
    expect((await bob.get('/admin')).status).toBe(200);
    expect(asked()).toBeLessThanOrEqual(before + 2);
    const between = asked();
    expect((await alice.get('/admin')).status).toBe(200);
    expect(asked()).toBe(between);
  });

  it('counts also where claims were requested before it, and are received later', async () => {
    const bob = await signedIn(BOB);
    app.sandbox.grantRole(BOB, 'admin');
    await until(isDelivered('user.grant.changed'));
    await bob.get('/admin');
    moveTime(SETTLED_MS);
    expect(await statusOf(bob, '/admin')).toBe(200);
    moveTime(300_000);
    const [before, deliveries] = [answered(), app.sandbox.eventDeliveries.length];
    app.sandbox.delay(USERINFO, 1_700);
    const underWay = bob.get('/admin');
    await until(() => answered() > before);
    app.sandbox.revokeRole(BOB, 'admin');
    await until(() => app.sandbox.eventDeliveries.slice(deliveries).some(({ status }) => status === 200));
    // The next request does not wait for the response to the one before the event.
    app.sandbox.delay(USERINFO, 0);
    expect(await statusOf(bob, '/admin')).toBe(403);
    await underWay;
    moveTime(SETTLED_MS);
    expect((await bob.get('/admin')).status).toBe(403);
  });

  it('counts also where claims were requested by a sign-in before it', async () => {
    app.sandbox.grantRole(BOB, 'admin');
    const before = answered();
    app.sandbox.delay(USERINFO, 1_700);
    const browser = app.browser();
    const underWay = signIn(browser, BOB);
    await until(() => answered() > before);
    const deliveries = app.sandbox.eventDeliveries.length;
    app.sandbox.revokeRole(BOB, 'admin');
    await until(() => app.sandbox.eventDeliveries.slice(deliveries).some(({ status }) => status === 200));
    await underWay;
    app.sandbox.delay(USERINFO, 0);
    expect((await browser.get('/admin')).status).toBe(403);
  });

  it('has the claims of every session read again within ten seconds when it names no user, as those of the management API v2', async () => {
    const [bob, alice] = [await signedIn(BOB), await signedIn(ALICE)];
    const others = await Promise.all(Array.from({ length: 20 }, () => signedIn(ALICE)));
    const service = 'authorization.v2.AuthorizationService';
    const filters = [{ inUserIds: { ids: [idOf(BOB)] } }];
    const { authorizations } = await manage<{ authorizations: { id: string }[] }>(
      app.sandbox,
      `${service}/ListAuthorizations`,
      { filters },
    );
    const message = { id: authorizations[0]?.id, roleKeys: ['admin'] };
    await manage(app.sandbox, `${service}/UpdateAuthorization`, message);
    await until(isDelivered('user.grant.cascade.changed'));
    const before = asked();
    // Each session has its time within the ten seconds.
    moveTime(5_000);
    for (const other of others) await other.get('/profile');
    const halfway = asked() - before;
    expect([halfway > 0, halfway < others.length]).toEqual([true, true]);
    moveTime(10_000);
    for (const other of others) await other.get('/profile');
    expect(asked()).toBe(before + others.length);
    expect((await bob.get('/admin')).status).toBe(200);
    expect((await alice.get('/admin')).status).toBe(200);
    expect(asked()).toBe(before + others.length + 2);
    expect((await alice.get('/admin')).status).toBe(200);
    expect(asked()).toBe(before + others.length + 2);
  });
});

describe('a request that is no event', () => {
  const locked = () => eventOf('user.locked', { aggregateID: idOf(ALICE), sequence: 99 });

  it.each<[string, (body: string) => string]>([
    ['no signature', () => ''],
    ['a signature by another key', (body) => signatureOf(body, { key: 'x'.repeat(36) })],
    ['a signature of another body', () => signatureOf(eventOf('user.locked'))],
    ['an old signature', (body) => signatureOf(body, { seconds: Date.now() / 1000 - 301 })],
    [
      'a signature of the future',
      (body) => signatureOf(body, { seconds: Math.floor(Date.now() / 1000) + 310 }),
    ],
    ['two times', (body) => `t=${Math.floor(Date.now() / 1000)},${signatureOf(body)}`],
    ['no time', (body) => signatureOf(body).replace(/^t=\d+,/, '')],
    ['a shortened signature', (body) => signatureOf(body).slice(0, -2)],
    ['another scheme', (body) => signatureOf(body).replace('v1=', 'v0=')],
    ['no text', () => '\u00ff=,,;='],
  ])('is refused with 400 and a reason for %s, and has no effect', async (_what, sign) => {
    const browser = await signedIn(ALICE);
    const body = locked();
    const answer = await send(body, { signature: sign(body) });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: 'invalid_request' });
    expect(log.join()).toMatch(/warn .*An event of Zitadel was refused.*zitadel-signature/s);
    expect(log.join()).not.toContain(OWN_KEY);
    expect(await statusOf(browser)).toBe(200);
  });

  it.each([
    '',
    'null',
    '[]',
    '7',
    '{',
    '{"event_type":"user.locked"}',
    '{"event_type":1}',
    'eyJhbGciOiJSUzI1NiJ9.e30.x',
  ])('is refused with 400 for the signed body %j', async (body) => {
    const answer = await send(body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('invalid_request');
  });

  it('is refused with 413 above 64 kB, and with 415 when it is compressed', async () => {
    const long = eventOf('user.locked', { event_payload: { key: 'x'.repeat(65_536) } });
    expect((await send(long)).status).toBe(413);
    const body = new Uint8Array(gzipSync(locked()));
    const headers = { 'content-encoding': 'gzip', 'content-type': 'application/json' };
    expect((await fetch(app.origin + PATH, { method: 'POST', headers, body })).status).toBe(415);
  });

  it('is refused with 405 for another method', async () => {
    const answer = await fetch(app.origin + PATH);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('an event without a user or a session of this application', () => {
  it.each(['user.human.added', 'org.removed', 'constructor', '__proto__', 'user.grant'])(
    'is answered 200 and has no effect: the type %s',
    async (type) => {
      const browser = await signedIn(ALICE);
      const payload = { userId: idOf(ALICE), sessionID: 'x', encodedHash: 'canary' };
      const before = asked();
      expect((await send(eventOf(type, { aggregateID: idOf(ALICE), event_payload: payload }))).status).toBe(
        200,
      );
      expect(await statusOf(browser)).toBe(200);
      expect(asked()).toBe(before);
      expect(log.join()).not.toContain('canary');
    },
  );

  it.each(['user.human.signed.out', 'session.terminated', 'user.locked', 'user.grant.removed'])(
    'is answered 200 and has no effect: %s of an unknown id, or without its payload',
    async (type) => {
      const browser = await signedIn(ALICE);
      for (const payload of [undefined, null, 'x', { userId: 7, sessionID: {} }])
        expect((await send(eventOf(type, { sequence: Math.random(), event_payload: payload }))).status).toBe(
          200,
        );
      expect(await statusOf(browser)).toBe(200);
    },
  );
});

describe('the address for events', () => {
  it('does not exist without ZITADEL_EVENTS_KEY', async () => {
    const other = await startApp();
    try {
      const answers = await Promise.all(
        [PATH, '/auth/nothing-here'].map((path) => sendEvent(other.origin + path, eventOf('user.locked'))),
      );
      const [given, unknown] = await Promise.all(answers.map(async (one) => [one.status, await one.text()]));
      expect(given).toEqual(unknown);
      expect((await fetch(other.origin + PATH)).status).toBe(404);
    } finally {
      await other.close();
    }
  });

  it('is below BASE_PATH, whether the proxy takes that off or not', async () => {
    const other = await startApp({
      callbackPath: '/base/auth/callback',
      postLogoutPath: '/base/auth/logout/callback',
      env: { BASE_PATH: '/base', ZITADEL_EVENTS_KEY: OWN_KEY },
    });
    try {
      for (const path of [PATH, `/base${PATH}`, `/base${PATH}/`])
        expect((await sendEvent(other.origin + path, eventOf('user.locked'))).status).toBe(200);
    } finally {
      await other.close();
    }
  });

  it('is there in a program with the parsers of Nest and a global prefix', async () => {
    const options = {
      issuer: app.sandbox.issuer,
      clientId: app.sandbox.clients.web.clientId,
      redirectUri: `${app.origin}/auth/callback`,
      secret: 'a secret for the tests that is long enough',
      eventsKey: OWN_KEY,
      checkAtStart: false,
    };
    const module = await Test.createTestingModule({ imports: [ZitadelModule.register(options)] }).compile();
    const program = module.createNestApplication<NestExpressApplication>({ logger: false });
    program.setGlobalPrefix('v1');
    await program.listen(0);
    try {
      const url = `${(await program.getUrl()).replace('[::1]', 'localhost')}/v1${PATH}`;
      expect((await sendEvent(url, eventOf('user.locked'))).status).toBe(200);
      const tampered = { signature: signatureOf('{}') };
      expect((await sendEvent(url, eventOf('user.locked'), tampered)).status).toBe(400);
    } finally {
      await program.close();
    }
  });
});

describe('an event about a session of Login V1', () => {
  it('ends it by its sid: user.human.signed.out', async () => {
    const v1 = await startApp({
      env: eventTarget,
      sandbox: { ...managed, web: { loginVersion: 1 }, loginV2Required: false },
    });
    try {
      const browser = await signedIn(ALICE, v1);
      expect((await browser.get('/profile')).url.pathname).toBe('/profile');
      await browser.get(`${v1.sandbox.issuer}/oidc/v1/end_session`);
      await until(() =>
        v1.sandbox.eventDeliveries.some(
          ({ eventType, status }) => eventType === 'user.human.signed.out' && status === 200,
        ),
      );
      expect((await browser.get('/profile')).url.pathname).toBe('/auth/login');
    } finally {
      await v1.close();
    }
  });
});

describe('each event about roles', () => {
  let own: RunningApp;
  beforeAll(async () => {
    own = await startApp({ env: eventTarget, sandbox: managed });
  });
  afterAll(() => own?.close());
  const service = 'authorization.v2.AuthorizationService';

  /** Changes something at Zitadel, waits for its event, and for the time of each session in a reload of all. */
  async function after(type: string, change: () => Promise<unknown>) {
    const known = own.sandbox.eventDeliveries.length;
    await change();
    await until(() =>
      own.sandbox.eventDeliveries
        .slice(known)
        .some(({ eventType, status }) => eventType === type && status === 200),
    );
    const isNamed = type === 'user.grant.added' || type === 'user.grant.removed';
    moveTime(isNamed ? 0 : 20_000);
  }

  it('has the claims read again: of the user that it names at the next request, of all within twenty seconds', async () => {
    const bob = await signedIn(BOB, own);
    const status = async () => (await bob.get('/admin')).status;
    const { projectId } = own.sandbox;
    const { authorizations } = await manage<{
      authorizations: { id: string; organization: { id: string } }[];
    }>(own.sandbox, `${service}/ListAuthorizations`, { filters: [{ inUserIds: { ids: [idOf(BOB)] } }] });
    const [found] = authorizations;
    let id = found?.id;
    const call = (method: string) => () => manage(own.sandbox, `${service}/${method}`, { id });
    await after('user.grant.removed', call('DeleteAuthorization'));
    expect(await status()).toBe(403);
    await after('user.grant.added', async () => {
      const message = {
        userId: idOf(BOB),
        projectId,
        organizationId: found?.organization.id,
        roleKeys: ['admin'],
      };
      ({ id } = await manage<{ id: string }>(own.sandbox, `${service}/CreateAuthorization`, message));
    });
    expect(await status()).toBe(200);
    moveTime(SETTLED_MS);
    await after('user.grant.deactivated', call('DeactivateAuthorization'));
    expect(await status()).toBe(403);
    await after('user.grant.reactivated', call('ActivateAuthorization'));
    expect(await status()).toBe(200);
    await after('project.role.removed', () =>
      manage(own.sandbox, 'project.v2.ProjectService/RemoveProjectRole', { projectId, roleKey: 'admin' }),
    );
    expect(await status()).toBe(403);
  });

  it('has them read again after user.grant.cascade.removed, and not for a role of another project', async () => {
    const bob = await signedIn(BOB, own);
    moveTime(20_000);
    await bob.get('/admin');
    const userinfos = () => own.sandbox.requests.filter(({ path }) => path === USERINFO).length;
    for (const [type, aggregateID, count] of [
      ['project.role.removed', '320000000000000777', 0],
      ['user.grant.cascade.removed', '320000000000000778', 1],
      ['project.role.removed', own.sandbox.projectId, 1],
    ] as const) {
      const before = userinfos();
      await sendEvent(own.origin + PATH, eventOf(type, { aggregateID, sequence: Math.random() }));
      moveTime(20_000);
      await bob.get('/admin');
      expect(userinfos()).toBe(before + count);
    }
  });
});
