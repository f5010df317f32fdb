import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Browser } from '../support/browser.js';
import { startHostileApp, type HostileApp } from '../support/start-hostile-app.js';
import { countOf } from '../support/metrics.js';

// The logger is global in Nest and belongs to the application started last, so this file starts only one.
let app: HostileApp;
let browser: Browser;
beforeAll(async () => {
  app = await startHostileApp();
});
afterAll(() => app.close());
beforeEach(async () => {
  browser = app.browser();
  await app.signIn(browser);
});

const send = (token: string) =>
  fetch(`${app.origin}/auth/backchannel-logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  });

describe('logouts_total of back-channel logout', () => {
  const counts = async () => {
    const of = (result: string) =>
      countOf(app.origin, `logouts_total{kind="back-channel",result="${result}"}`);
    return { done: await of('done'), nothing: await of('nothing') };
  };
  const lines = () =>
    app.log.filter(
      (line) => line.startsWith('log') && line.includes('Sessions ended by back-channel logout'),
    );
  /** Sends a logout token for each sign-in of a session at the provider. */
  async function sendFor(sid: string | undefined, times: number) {
    for (let time = 0; time < times; time++)
      expect((await send(await app.provider.logoutToken({ claims: { sid } }))).status).toBe(200);
  }

  it('counts one ended session and logs one line for four logout tokens about the same session', async () => {
    const [before, logged] = [await counts(), lines().length];
    await sendFor('a-session-of-four-sign-ins', 4);
    expect(await counts()).toEqual({ done: before.done + 1, nothing: before.nothing + 3 });
    expect(lines()).toHaveLength(logged + 1);
  });

  it('counts no ended session when the session has already ended by a sign-out here', async () => {
    const token = await app.provider.logoutToken();
    const another = await app.provider.logoutToken();
    await app.logOut(browser);
    const [before, logged] = [await counts(), lines().length];
    for (const one of [token, another]) expect((await send(one)).status).toBe(200);
    expect(await counts()).toEqual({ done: before.done, nothing: before.nothing + 2 });
    expect(lines()).toHaveLength(logged);
  });

  it('counts one ended session when another application has signed the user out', async () => {
    const before = await counts();
    expect((await send(await app.provider.logoutToken())).status).toBe(200);
    expect(await app.session(browser)).toBeNull();
    expect(await counts()).toEqual({ ...before, done: before.done + 1 });
  });
});
