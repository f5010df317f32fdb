import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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

/** Prints how long it took from the change at Zitadel until both instances gave that answer. */
async function untilBoth(status: number, cookie: string, change: () => Promise<unknown>, path?: string) {
  const from = performance.now();
  await change();
  await until(async () => (await statuses(cookie, path)).every((one) => one === status));
  const ms = Math.round(performance.now() - from);
  process.stdout.write(`${ms} ms from the change at Zitadel until both instances answered ${status}\n`);
}

const idOf = (name: string) => app.sandbox.users.find(({ loginName }) => loginName === name)?.id ?? '';

describe('two instances behind nginx, of which one receives an event', () => {
  it('end the sessions of a deactivated user together', async () => {
    const cookies = [await cookieOf('alice@acme.example'), await cookieOf('alice@acme.example')];
    const other = await cookieOf('bob@acme.example');
    for (const cookie of cookies) expect(await statuses(cookie)).toEqual([200, 200]);
    const userId = idOf('alice@acme.example');
    await untilBoth(401, cookies[0] ?? '', () =>
      manage(app.sandbox, 'user.v2.UserService/DeactivateUser', { userId }),
    );
    expect(await statuses(cookies[1] ?? '')).toEqual([401, 401]);
    expect(await statuses(other)).toEqual([200, 200]);
  });

  it('both read the claims of a user again', async () => {
    const cookie = await cookieOf('bob@acme.example');
    expect(await statuses(cookie, '/admin')).toEqual([403, 403]);
    const grant = () => Promise.resolve(app.sandbox.grantRole('bob@acme.example', 'admin'));
    await untilBoth(200, cookie, grant, '/admin');
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
