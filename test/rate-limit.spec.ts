import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { csrfFrom } from './support/browser.js';
import { eventOf, OWN_KEY, sendEvent } from './support/event-target.js';
import { countOf } from './support/metrics.js';
import { startApp, type RunningApp } from './support/start-app.js';

let app: RunningApp | undefined;
afterEach(() => app?.close());

const start = (env: Record<string, string>, log?: string[]) =>
  startApp({ env, ...(log ? { log } : {}) }).then((started) => (app = started));

describe('AUTH_RATE_LIMIT', () => {
  it('results in 429 with Retry-After for the fifth sign-in, and other pages stay 200', async () => {
    const { origin, ...running } = await start({ AUTH_RATE_LIMIT: '4' });
    const browser = running.browser();
    const form = csrfFrom(await browser.get('/auth/login'));
    for (let count = 0; count < 4; count++)
      expect((await browser.post('/auth/signin/zitadel', form)).status).toBe(303);
    const page = await browser.request(
      'POST',
      new URL('/auth/signin/zitadel', origin),
      new URLSearchParams(form),
    );
    expect(page.status).toBe(429);
    expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);
    expect(Number(page.headers['retry-after'])).toBeLessThanOrEqual(60);
    expect(page.text).toContain('One moment, please');
    for (const path of ['/', '/auth/login', '/auth/session', '/auth/logout/success'])
      expect((await browser.get(path)).status).toBe(200);
  });

  it.each([
    ['GET', '/auth/callback?code=x&state=y'],
    ['GET', '/auth/callback/zitadel?code=x'],
    ['GET', '/auth/initiate'],
    ['GET', '/auth/start'],
    ['GET', '/auth/logout/callback?state=x'],
    ['POST', '/auth/logout'],
    ['POST', '/auth/signout'],
    ['POST', '/auth/logout/everywhere'],
    ['POST', '/auth/backchannel-logout'],
    ['GET', '/auth/fresh-sign-in'],
    ['POST', '/AUTH/Logout/'],
    ['GET', '/auth/Callback/zitadel/?code=x'],
  ])('applies to %s %s', async (method, path) => {
    const { origin } = await start({ AUTH_RATE_LIMIT: '2' });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count++)
      statuses.push((await fetch(origin + path, { method, redirect: 'manual' })).status);
    expect(statuses.slice(0, 2)).not.toContain(429);
    expect(statuses[2]).toBe(429);
  });

  it('does not refuse an event of Zitadel because of requests that are none', async () => {
    const { origin } = await start({ AUTH_RATE_LIMIT: '2', ZITADEL_EVENTS_KEY: OWN_KEY });
    const url = `${origin}/auth/zitadel-events`;
    for (let count = 0; count < 70; count++)
      expect((await sendEvent(url, '{}', { signature: 'x' })).status).toBe(400);
    expect((await sendEvent(url, eventOf('user.locked'))).status).toBe(200);
    expect(await countOf(origin, 'zitadel_events_total{result="refused"}')).toBe(70);
  });

  it('results in 429 as JSON for a program', async () => {
    const { origin } = await start({ AUTH_RATE_LIMIT: '1' });
    await fetch(`${origin}/auth/initiate`);
    const answer = await fetch(`${origin}/auth/initiate`);
    expect(await answer.json()).toEqual({
      statusCode: 429,
      code: 'TOO_MANY_REQUESTS',
      message: 'Too many requests. Please try again later',
    });
  });

  it('applies to a custom redirect URI', async () => {
    const running = await startApp({ callbackPath: '/signed-in', env: { AUTH_RATE_LIMIT: '2' } });
    app = running;
    for (let count = 0; count < 2; count++)
      await fetch(`${running.origin}/signed-in`, { redirect: 'manual' });
    expect((await fetch(`${running.origin}/signed-in`, { redirect: 'manual' })).status).toBe(429);
  });

  it('is off with 0', async () => {
    const { origin } = await start({ AUTH_RATE_LIMIT: '0' });
    for (let count = 0; count < 100; count++)
      expect((await fetch(`${origin}/auth/initiate`)).status).toBe(400);
  });
});

describe('TRUSTED_PROXIES', () => {
  const from = (origin: string, address: string) =>
    fetch(`${origin}/auth/initiate`, { headers: { 'x-forwarded-for': address } }).then(
      ({ status }) => status,
    );

  it('when empty, makes X-Forwarded-For ignored, with one log line about it', async () => {
    const log: string[] = [];
    const { origin } = await start({ AUTH_RATE_LIMIT: '2' }, log);
    expect([
      await from(origin, '192.0.2.1'),
      await from(origin, '192.0.2.2'),
      await from(origin, '192.0.2.3'),
    ]).toEqual([400, 400, 429]);
    expect(log.filter((line) => line.includes('TRUSTED_PROXIES'))).toHaveLength(1);
  });

  it('names the proxies whose X-Forwarded-For counts', async () => {
    const { origin } = await start({ AUTH_RATE_LIMIT: '1', TRUSTED_PROXIES: 'loopback, 10.0.0.0/8' });
    expect(await from(origin, '192.0.2.1')).toBe(400);
    expect(await from(origin, '192.0.2.2')).toBe(400);
    expect(await from(origin, '192.0.2.1')).toBe(429);
    // Some proxies add the port or an unusable value.
    expect(await from(origin, '192.0.2.1:40001')).toBe(429);
    // The value that the browser sends is left of the address that the proxy adds.
    expect(await from(origin, '192.0.2.9, 192.0.2.1')).toBe(429);
  });

  it.each([
    ['198.51.100.2:40001', '198.51.100.2:40002', '198.51.100.3:40001'],
    ['198.51.100.2:40001, 10.0.0.5:3333', '198.51.100.2, 10.0.0.6', '198.51.100.3:1, 10.0.0.5:3333'],
    ['[2001:db8::1]:40001', '2001:db8::1', '[2001:db9::1]:40001'],
    ['"[2001:db8::1]:40001"', '[2001:db8::1]', '2001:db9::1'],
    ['::ffff:198.51.100.2', '198.51.100.2:1', '198.51.100.3'],
    ['unknown', '_hidden', '198.51.100.3'],
  ])(
    'counts by address without the port: %s and %s are the same client, and %s is another',
    async (one, same, other) => {
      const stderr = jest.spyOn(console, 'error').mockImplementation(() => undefined);
      const { origin } = await start({ AUTH_RATE_LIMIT: '1', TRUSTED_PROXIES: 'loopback, 10.0.0.0/8' });
      expect(await from(origin, one)).toBe(400);
      expect(await from(origin, same)).toBe(429);
      expect(await from(origin, other)).toBe(400);
      expect(stderr).not.toHaveBeenCalled();
      stderr.mockRestore();
    },
  );
});
