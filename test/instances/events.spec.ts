import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { eventTarget, manage, managed, sendEvent } from '../support/event-target.js';
import { signIn } from '../support/sign-in.js';
import { startInstances, type RunningInstances } from '../support/start-instances.js';
import { until } from '../support/until.js';

let app: RunningInstances;
beforeAll(async () => {
  app = await startInstances({ env: eventTarget, sandbox: managed });
}, 240_000);
afterAll(() => app?.close());

async function cookieOf(loginName: string): Promise<string> {
  const browser = app.browser();
  expect((await signIn(browser, loginName)).url.pathname).toBe('/profile');
  return browser.jar.getCookieString(app.origin);
}

/** What each instance answers to the cookie. */
const statuses = (cookie: string, path = '/profile') =>
  Promise.all(
    app.origins.map(
      async (origin) => (await fetch(origin + path, { redirect: 'manual', headers: { cookie } })).status,
    ),
  );

/** Once it is published, nothing but the delivery by Redis lies between the event and the answer. */
const answersWith = (expected: number[], cookie: string, path?: string) =>
  until(async () => isDeepStrictEqual(await statuses(cookie, path), expected));

/** Entries of the shared state for one event: that it was taken, and its effect. */
const ENTRIES = 2;

/** Changes something at Zitadel, and waits until the instance that gets the event has published it. */
async function publishedAfter(change: () => Promise<unknown>) {
  const subscriber = new Redis(app.redis.url);
  let published = 0;
  subscriber.on('pmessage', () => published++);
  await subscriber.psubscribe('nestjs-zitadel:*');
  await change();
  await until(() => published >= ENTRIES);
  await subscriber.quit();
}

const idOf = (name: string) => app.sandbox.users.find(({ loginName }) => loginName === name)?.id ?? '';

describe('two instances behind nginx, of which one receives an event', () => {
  it('refuse the requests of a deactivated user after that', async () => {
    const cookies = [await cookieOf('alice@acme.example'), await cookieOf('alice@acme.example')];
    const other = await cookieOf('bob@acme.example');
    for (const cookie of cookies) expect(await statuses(cookie)).toEqual([200, 200]);
    const userId = idOf('alice@acme.example');
    await publishedAfter(() => manage(app.sandbox, 'user.v2.UserService/DeactivateUser', { userId }));
    for (const cookie of cookies) await answersWith([401, 401], cookie);
    expect(await statuses(other)).toEqual([200, 200]);
  });

  it('both read the claims of a user again', async () => {
    const cookie = await cookieOf('bob@acme.example');
    expect(await statuses(cookie, '/admin')).toEqual([403, 403]);
    const grant = () => Promise.resolve(app.sandbox.grantRole('bob@acme.example', 'admin'));
    await publishedAfter(grant);
    await answersWith([200, 200], cookie, '/admin');
  });

  it('take an event once, whichever of them receives its repetition', async () => {
    app.sandbox.setUserActive('alice@acme.example', true);
    const cookie = await cookieOf('alice@acme.example');
    const event = app.sandbox.eventDeliveries.find(({ eventType }) => eventType === 'user.deactivated');
    for (const origin of app.origins) {
      const { status } = await sendEvent(`${origin}/auth/zitadel-events`, event?.body ?? '');
      expect(status).toBe(200);
    }
    expect(await statuses(cookie)).toEqual([200, 200]);
  });

  it('keep nothing of an event in Redis that anybody could read', async () => {
    const content = JSON.stringify(await app.redis.content());
    for (const secret of [idOf('alice@acme.example'), idOf('bob@acme.example'), 'user.deactivated'])
      expect(content).not.toContain(secret);
  });
});
