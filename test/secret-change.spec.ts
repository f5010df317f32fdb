import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import supertest from 'supertest';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser, type Page } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { moveTime } from './support/move-time.js';
import { signIn } from './support/sign-in.js';
import { environment, launch, redirectUrisOf } from './support/start-app.js';

const old = 'the secret there was and it is long enough';
const next = 'the secret there will be and it is long enough';

/** The values of SESSION_SECRET in the steps of docs/deploy.md. */
const steps = [old, `${old},${next}`, `${next},${old}`, next];

let origin: string;
let origins: string[];
let apps: NestExpressApplication[];
let sandbox: Sandbox;
beforeAll(async () => {
  const ports = await Promise.all(steps.map(() => freePort()));
  origins = ports.map((port) => `http://localhost:${port}`);
  origin = origins[0] ?? '';
  sandbox = await startSandbox({
    web: redirectUrisOf(origin),
  });
  apps = await Promise.all(
    ports.map((port, step) =>
      launch({ ...environment(origin, sandbox), SESSION_SECRET: steps[step] ?? '' }, port),
    ),
  );
});
afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await sandbox.close();
});

/** Sends the request of a browser to the instance of a step; cookies are shared between ports. */
async function send(browser: Browser, step: number, method: 'get' | 'post', path: string, form = {}) {
  const agent = supertest(origins[step] ?? '');
  const cookie = await browser.cookieHeader();
  const answer = await (method === 'get' ? agent.get(path) : agent.post(path))
    .set({ origin, cookie, accept: 'text/html' })
    .type('form')
    .send(form);
  for (const line of [answer.headers['set-cookie'] ?? []].flat())
    await browser.jar.setCookie(String(line), origin);
  return answer;
}

const csrfOf = ({ text }: { text: string }) => /name="csrfToken" value="([^"]+)"/.exec(text)?.[1] ?? '';

async function signedIn(): Promise<[Browser, Page]> {
  const browser = new Browser(origin);
  return [browser, await signIn(browser, 'alice@acme.example')];
}

it.each(
  [0, 1, 2].flatMap((step) => [
    [step, step, step + 1],
    [step, step + 1, step],
  ]),
)(
  'at step %i of a rotation of SESSION_SECRET, a form of an instance at step %i is accepted by one at step %i',
  async (step, shownAt, sentTo) => {
    const [browser] = await signedIn();
    // Each step follows the one before, so the session cookie is written at each.
    for (let visited = 1; visited <= step; visited++) {
      moveTime(61_000);
      await send(browser, visited, 'get', '/profile');
    }
    const page = await send(browser, shownAt, 'get', '/profile');
    expect(page.status).toBe(200);
    const answer = await send(browser, sentTo, 'post', '/auth/logout', { csrfToken: csrfOf(page) });
    expect(answer.status).toBe(303);
    expect(answer.headers['location']).toContain('/oidc/v1/end_session');
  },
);

it('a form is accepted one step later, and a session stays valid, through all steps of a rotation of SESSION_SECRET', async () => {
  const [browser, page] = await signedIn();
  let csrfToken = csrfOf(page);
  for (const step of [1, 2, 3]) {
    moveTime(61_000);
    const read = await send(browser, step, 'post', '/auth/userinfo', { csrfToken });
    expect([step, read.status, read.headers['location']]).toEqual([step, 303, '/profile']);
    csrfToken = csrfOf(await send(browser, step, 'get', '/profile'));
  }
});

it('a form signed with a removed SESSION_SECRET gets 403', async () => {
  const [browser, page] = await signedIn();
  const answer = await send(browser, 3, 'post', '/auth/logout', { csrfToken: csrfOf(page) });
  expect(answer.status).toBe(403);
});
