import { Public, RequireRoles } from '@mridang/nestjs-auth';
import { loginAs } from '@mridang/nestjs-auth/testing';
import { RequireFactors, RequireFreshSignIn } from '@mridang/nestjs-zitadel';
import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { en } from '../src/texts/en.js';
import { csrfFrom, type Browser, type Page } from './support/browser.js';
import { moveTime } from './support/move-time.js';
import { now } from './support/now.js';
import { refusalOf, refused, type Reason } from './support/refusal.js';
import { choose, signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';
import { until } from './support/until.js';

const alice = 'alice@acme.example';
const bob = 'bob@acme.example';
/** has a second factor */
const erin = 'erin@acme.example';

@Controller('guarded')
class GuardedRoutes {
  @Get('old')
  @RequireFreshSignIn({ maxAgeSeconds: 3_600 })
  old() {
    return 'old';
  }

  @Get('factors')
  @RequireFactors('mfa')
  factors() {
    return 'several factors';
  }

  @Get('both')
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  @RequireFactors('mfa')
  both() {
    return 'both';
  }

  @Get('admin')
  @RequireRoles('admin')
  @RequireFreshSignIn()
  admin() {
    return 'admin';
  }

  @Get('public')
  @Public()
  @RequireFreshSignIn()
  public() {
    return 'public';
  }
}

const later = () => moveTime(400_000);

const sessionOf = async (browser: Browser) =>
  JSON.parse((await browser.get('/auth/session')).text) as { user: { id: string; name: string } } | null;

const authorizeIn = ({ path }: Page) =>
  path.find(({ pathname }) => pathname === '/oauth/v2/authorize')?.searchParams;

const firstHeading = ({ document }: Page) => document.querySelector('h1')?.text;

describe.each([1, 2] as const)('with Login V%i', (loginVersion) => {
  let app: RunningApp;
  const log: string[] = [];
  beforeAll(async () => {
    app = await startApp({ sandbox: { web: { loginVersion } }, log, controllers: [GuardedRoutes] });
  });
  afterAll(() => app.close());

  const revocations = () =>
    app.sandbox.requests.filter(({ path }) => path === '/oauth/v2/revoke').map(({ form }) => form['token']);
  const endings = () => app.sandbox.requests.filter(({ path }) => path === '/oidc/v1/end_session');

  /** A browser that has signed in longer ago than the page allows. */
  async function signedInLongAgo(loginName: string): Promise<Browser> {
    const browser = app.browser();
    await signIn(browser, loginName);
    later();
    return browser;
  }

  it('a page opens without another sign-in for five minutes', async () => {
    const page = await signIn(app.browser(), alice, '/danger');
    expect([page.url.pathname, firstHeading(page)]).toEqual(['/danger', en['danger.title']]);
  });

  it('an older sign-in leads to one that asks again, and back to the same request', async () => {
    const browser = await signedInLongAgo(alice);
    const before = await sessionOf(browser);
    const login = await browser.get('/danger?a=1&b=%26');
    expect(login.url.origin).toBe(app.sandbox.issuer);
    expect(Object.fromEntries(authorizeIn(login) ?? [])).toMatchObject({
      prompt: 'login',
      max_age: '300',
      login_hint: alice,
    });
    expect(authorizeIn(login)?.has('subject')).toBe(false);
    const page = await choose(browser, login, alice);
    expect([page.url.pathname + page.url.search, page.status]).toEqual(['/danger?a=1&b=%26', 200]);
    expect((await sessionOf(browser))?.user).toEqual(before?.user);
    expect((await browser.get('/danger')).path).toHaveLength(1);
  });

  it('the new session takes the place of the old one, whose refresh token is revoked', async () => {
    const browser = await signedInLongAgo(alice);
    const old = await browser.jar.getCookieString(app.origin);
    const known = revocations().length;
    const ended = endings().length;
    const page = await choose(browser, await browser.get('/danger'), alice);
    expect(page.url.pathname).toBe('/danger');
    await until(() => revocations().length > known);
    const answer = await fetch(`${app.origin}/profile`, { headers: { cookie: old, accept: '*/*' } });
    expect(answer.status).toBe(401);
    // Login V1 renews its session. Login V2 makes another one, and the old one is ended.
    if (loginVersion === 2) {
      await until(() => endings().length > ended);
      const [request] = endings().slice(ended);
      expect([request?.method, request?.status]).toEqual(['POST', 302]);
    } else expect(endings()).toHaveLength(ended);
    expect((await browser.get('/profile/live')).status).toBe(200);
  });

  it('a sign-in that is no proof for a page leaves the other session at Zitadel as it is', async () => {
    const browser = await signedInLongAgo(alice);
    const [known, ended] = [revocations().length, endings().length];
    const people = await browser.submit(await browser.get('/auth/login?prompt=login'), 'main form');
    await choose(browser, people, alice);
    await until(() => revocations().length > known);
    expect((await browser.get('/profile/live')).status).toBe(200);
    expect(endings()).toHaveLength(ended);
  });

  it('a form leads back to its page, with a note that it was not sent', async () => {
    const browser = app.browser();
    const form = await signIn(browser, erin, '/danger');
    later();
    const login = await browser.submit(form, 'main form');
    const page = await choose(browser, login, erin);
    expect(page.url.pathname + page.url.search).toBe('/danger?form-not-sent=1');
    expect(page.document.querySelector('main [role="status"]')?.text).toBe(en['notice.formNotSent']);
    const other = await browser.get('/profile?form-not-sent=1');
    expect(textOf(other)).not.toContain(en['notice.formNotSent']);
    const done = await browser.submit(page, 'main form');
    expect([done.status, textOf(done)]).toEqual([200, expect.stringContaining(en['danger.done'])]);
  });

  it('a sign-in of another person is refused, and the session stays', async () => {
    const browser = await signedInLongAgo(alice);
    const before = await sessionOf(browser);
    const [known, ended] = [revocations().length, endings().length];
    const page = await choose(browser, await browser.get('/danger'), erin);
    expect(refusalOf(page)).toEqual(refused('user_mismatch'));
    expect((await sessionOf(browser))?.user).toEqual(before?.user);
    await until(() => revocations().length > known);
    // Login V1 would end the sessions of all users of the browser.
    await until(() => endings().length === ended + loginVersion - 1);
    expect((await browser.get('/profile/live')).status).toBe(200);
  });

  it('a cancelled sign-in says that the session stays, and leads back to the page', async () => {
    const browser = await signedInLongAgo(alice);
    const login = await browser.get('/danger?a=1');
    const page = await browser.submit(login, 'form:has(button[name="cancel"])', { button: 'Cancel' });
    expect([page.status, firstHeading(page)]).toEqual([403, en['proof.denied.title']]);
    expect(page.url.searchParams.get('callbackUrl')).toBe('/danger?a=1');
    const again = page.document.querySelector('main a.button-primary')?.getAttribute('href') ?? '';
    const proof = await browser.get(again);
    expect(proof.url.origin).toBe(app.sandbox.issuer);
    const opened = await choose(browser, proof, alice);
    expect(opened.url.pathname + opened.url.search).toBe('/danger?a=1');
  });

  it.each<[string, string, Reason]>([
    ['/danger', erin, 'user_mismatch'],
    ['/guarded/factors', alice, 'factor_missing'],
  ])('the page of a refusal links the page that was asked for: %s as %s', async (path, person, reason) => {
    const browser = await signedInLongAgo(alice);
    const page = await choose(browser, await browser.get(path), person);
    expect(refusalOf(page)).toEqual(refused(reason));
    const links = page.document.querySelectorAll('main a').map((link) => link.getAttribute('href'));
    expect(links).toContain(path);
  });

  it.each(['//evil.example', 'https://evil.example/', 'javascript:evil.example', '/\\\\evil.example'])(
    'the error page has no link to %s',
    async (callbackUrl) => {
      const browser = await signedInLongAgo(alice);
      for (const reason of ['factor_missing', 'access_denied']) {
        const query = new URLSearchParams({ reason, callbackUrl }).toString();
        expect((await browser.get(`/auth/error?${query}`)).text).not.toContain('evil.example');
      }
    },
  );

  it('a refused sign-in leaves no session at Zitadel that outlives the sign-out', async () => {
    const browser = await signedInLongAgo(alice);
    const ended = endings().length;
    const login = await browser.get('/guarded/both');
    expect(refusalOf(await choose(browser, login, alice))).toEqual(refused('factor_missing'));
    await until(() => endings().length === ended + loginVersion - 1);
    await browser.submit(await browser.get('/profile'), 'form[action="/auth/logout"]');
    const other = new URL(login.path.find(({ pathname }) => pathname === '/oauth/v2/authorize') ?? '');
    other.searchParams.delete('prompt');
    const asked = await browser.stopAt('/auth/callback', () => browser.get(other));
    expect(asked.origin).toBe(app.sandbox.issuer);
  });

  it('a session that was ended during the sign-in is ended at Zitadel, too', async () => {
    const browser = await signedInLongAgo(alice);
    const login = await browser.get('/danger');
    const elsewhere = app.browser();
    await signIn(elsewhere, alice);
    await elsewhere.submit(await elsewhere.get('/profile'), 'form[action="/auth/logout/everywhere"]');
    moveTime(1_000);
    const ended = endings().length;
    expect((await choose(browser, login, alice)).url.pathname).toBe('/danger');
    await until(() => endings().length === ended + loginVersion - 1);
  });

  it('a missing factor is named, with the page at Zitadel to set it up, and the session stays', async () => {
    const browser = app.browser();
    const form = await signIn(browser, alice, '/danger');
    const page = await choose(browser, await browser.submit(form, 'main form'), alice);
    expect(refusalOf(page)).toEqual(refused('factor_missing'));
    expect(textOf(page)).toContain('several factors');
    expect(page.document.querySelector(`main a[href$="id=security"]`)?.getAttribute('href')).toBe(
      `${app.sandbox.issuer}/ui/console/users/me?id=security`,
    );
    expect(await sessionOf(browser)).toMatchObject({ user: { name: 'Alice Archer' } });
    expect(log.some((line) => line.includes('factor_missing'))).toBe(true);
  });

  it('a factor of the sign-in before does not count for a weaker one after', async () => {
    const browser = app.browser();
    await signIn(browser, erin, '/guarded/factors');
    expect((await browser.get('/guarded/factors')).text).toBe('several factors');
    later();
    const user = app.sandbox.users.find(({ loginName }) => loginName === erin);
    delete user?.secondFactor;
    try {
      const page = await choose(browser, await browser.get('/danger'), erin);
      expect(page.url.pathname).toBe('/danger');
      const login = await browser.get('/guarded/factors');
      expect(login.url.origin).toBe(app.sandbox.issuer);
      expect(refusalOf(await choose(browser, login, erin))).toEqual(refused('factor_missing'));
    } finally {
      if (user) user.secondFactor = 'totp';
    }
  });

  it('one sign-in meets a required age and a required factor', async () => {
    const browser = await signedInLongAgo(erin);
    const login = await browser.get('/guarded/both');
    expect(authorizeIn(login)?.get('max_age')).toBe('60');
    expect((await choose(browser, login, erin)).text).toBe('both');
  });

  it('a refresh changes neither the age nor the factors of the sign-in', async () => {
    const browser = app.browser();
    await signIn(browser, erin);
    app.sandbox.expire('access_tokens');
    later();
    await browser.get('/auth/userinfo');
    expect((await browser.get('/guarded/factors')).text).toBe('several factors');
    expect((await browser.get('/danger')).url.origin).toBe(app.sandbox.issuer);
  });

  it('a sign-in by single sign-on is as old as the login at Zitadel', async () => {
    const browser = await signedInLongAgo(alice);
    browser.forget(/session-token/);
    const again = await browser.submit(await browser.get('/auth/login?callbackUrl=/'), 'main form');
    expect([again.url.pathname, again.path.length > 2]).toEqual(['/', true]);
    expect((await browser.get('/danger')).url.origin).toBe(app.sandbox.issuer);
  });
});

describe('a route with a required sign-in', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp({ controllers: [GuardedRoutes] });
  });
  afterAll(() => app.close());

  const get = (path: string, cookie: string, headers: Record<string, string> = {}) =>
    fetch(app.origin + path, {
      redirect: 'manual',
      headers: { cookie, accept: 'application/json', ...headers },
    });
  /** As a browser opens a page. */
  const open = (path: string, cookie: string, headers: Record<string, string> = {}, method = 'GET') =>
    app.browser().request(method, new URL(path, app.origin), undefined, { cookie, ...headers });
  const cookieOf = async (claims: object) =>
    (await loginAs(app.app, { sub: '320000000000000011', ...claims })).cookie;

  it('answers a program with 401 and a challenge (RFC 9470)', async () => {
    const cookie = await cookieOf({ auth_time: now() - 4_000, amr: ['pwd'] });
    const answer = await get('/danger', cookie);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="insufficient_user_authentication", error_description="This needs a new sign-in", max_age="300"',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.json()).toEqual({
      statusCode: 401,
      code: 'AUTH_FRESH_SIGN_IN_REQUIRED',
      message: 'This needs a new sign-in',
      reference: expect.stringMatching(/^[0-9a-f]{12}$/) as unknown,
      explanation: {
        needed: { signInAgeSeconds: 300 },
        held: { signInAgeSeconds: expect.any(Number) as unknown, factors: ['pwd'] },
        help: 'Open the page in a browser.',
      },
    });
    const factors = await get('/guarded/factors', cookie);
    expect(factors.headers.get('www-authenticate')).not.toContain('max_age');
  });

  it.each(['prefetch', 'prerender'])('starts no sign-in for a %s', async (purpose) => {
    const cookie = await cookieOf({ auth_time: now() - 4_000 });
    const answer = await open('/danger', cookie, { 'sec-purpose': purpose });
    expect([answer.status, answer.headers['location']]).toEqual([401, undefined]);
    expect((await open('/danger', cookie, {}, 'HEAD')).status).toBe(401);
    expect((await open('/danger', cookie)).status).toBe(302);
  });

  it.each([
    ['young', { auth_time: 0 }, 200],
    ['young enough within the tolerance', { auth_time: -305 }, 200],
    ['too old', { auth_time: -315 }, 401],
    ['of an unknown age', {}, 401],
  ])(
    'compares the age of a login that is %s',
    async (_name, { auth_time: offset }: { auth_time?: number }, status) => {
      const cookie = await cookieOf(offset === undefined ? {} : { auth_time: now() + offset });
      expect((await get('/danger', cookie)).status).toBe(status);
    },
  );

  it.each([
    [['pwd', 'otp', 'mfa'], 200],
    [['user', 'mfa'], 200],
    [['pwd'], 401],
    ['mfa', 401],
    [undefined, 401],
  ])('compares the methods %j', async (amr, status) => {
    expect((await get('/guarded/factors', await cookieOf({ amr }))).status).toBe(status);
  });

  it('refuses a person without the role, with no new sign-in', async () => {
    const cookie = await cookieOf({ auth_time: now() - 4_000 });
    expect((await open('/guarded/admin', cookie)).status).toBe(403);
  });

  it('requires a session where it is public, too', async () => {
    expect((await get('/guarded/public', '')).status).toBe(401);
    const page = await open('/guarded/public', '');
    expect(page.headers['location']).toBe('/auth/login?callbackUrl=%2Fguarded%2Fpublic');
    expect((await get('/guarded/public', await cookieOf({ auth_time: now() }))).status).toBe(200);
  });

  it('refuses a session without an ID token, which Zitadel cannot be asked about', async () => {
    const tokens = { id_token: undefined as never };
    const { cookie } = await loginAs(app.app, { sub: '320000000000000011' }, { tokens });
    const answer = await open('/danger', cookie);
    expect([answer.status, answer.headers['location']]).toEqual([403, undefined]);
  });

  describe('that a link starts', () => {
    const path = '/auth/fresh-sign-in?max_age=300&factors=mfa&callbackUrl=%2Fguarded%2Fboth';

    it('asks the same user again, and compares the result', async () => {
      const browser = app.browser();
      await signIn(browser, erin);
      later();
      const login = await browser.get(path);
      expect(Object.fromEntries(authorizeIn(login) ?? [])).toMatchObject({
        prompt: 'login',
        max_age: '300',
        login_hint: erin,
      });
      expect(refusalOf(await choose(browser, login, alice))).toEqual(refused('user_mismatch'));
      expect((await choose(browser, await browser.get(path), erin)).text).toBe('both');
    });

    it('leads on where the session meets what it requires, and to no other site', async () => {
      const browser = app.browser();
      await signIn(browser, erin);
      expect((await browser.get(path)).text).toBe('both');
      const elsewhere = await browser.get('/auth/fresh-sign-in?max_age=300&callbackUrl=//evil.example');
      expect([elsewhere.url.origin, elsewhere.url.pathname]).toEqual([app.origin, '/profile']);
      const login = await browser.get('/auth/fresh-sign-in?max_age=x&factors=%00&callbackUrl=/danger');
      expect(authorizeIn(login)?.get('prompt')).toBe('login');
      expect((await choose(browser, login, erin)).url.pathname).toBe('/danger');
    });

    it('needs a session, of Zitadel, and a person who opens it', async () => {
      expect((await open(path, '')).headers['location']).toContain('/auth/login?callbackUrl=');
      const tokens = { id_token: undefined as never };
      const { cookie } = await loginAs(app.app, { sub: '320000000000000011' }, { tokens });
      expect((await open(path, cookie)).status).toBe(403);
      const known = await cookieOf({ auth_time: now() - 4_000 });
      for (const headers of [{ 'sec-purpose': 'prefetch' }, { 'sec-fetch-dest': 'image' }])
        expect((await open(path, known, headers)).status).toBe(204);
    });
  });

  it.each([
    ['/profile?tab=a%26b&form-not-sent=1', '/profile?tab=a%26b&form-not-sent=1'],
    ['https://evil.example/profile', '/danger?form-not-sent=1'],
    ['', '/danger?form-not-sent=1'],
  ])('leads a form sent from "%s" back to %s', async (from, expected) => {
    const browser = app.browser();
    const page = await signIn(browser, erin, '/danger');
    later();
    const referer = from.startsWith('/') ? app.origin + from : from;
    const url = new URL('/danger', app.origin);
    const started = await browser.request('POST', url, new URLSearchParams(csrfFrom(page)), { referer });
    expect(started.status).toBe(303);
    const login = await browser.get(started.headers['location'] ?? '');
    const end = await choose(browser, login, erin);
    expect(end.url.pathname + end.url.search).toBe(expected);
  });

  it('leaves the organization active that the user has chosen', async () => {
    const other = await startApp({ env: { ORGANIZATIONS: 'active' } });
    other.sandbox.grantRole(alice, 'editor', 'Globex');
    const browser = other.browser();
    const page = await signIn(browser, alice);
    const organization = '320000000000000002';
    await browser.submit(page, 'form[action="/auth/organization"]', { fields: { organization } });
    const active = { user: { activeOrganization: { id: organization }, roles: ['editor'] } };
    expect(await sessionOf(browser)).toMatchObject(active);
    later();
    expect((await choose(browser, await browser.get('/danger'), alice)).url.pathname).toBe('/danger');
    expect(await sessionOf(browser)).toMatchObject(active);
    await other.close();
  });

  it.each([150, 900, 1_200, 2_500])(
    'leads back to an address of %i characters, also of a form',
    async (length) => {
      const address = `/danger?text=${'x'.repeat(length)}`;
      const browser = app.browser();
      const form = await signIn(browser, erin, '/danger');
      later();
      const page = await choose(browser, await browser.get(address), erin);
      expect(page.url.pathname + page.url.search).toBe(address);
      later();
      const headers = { referer: app.origin + address, origin: app.origin };
      const url = new URL('/danger', app.origin);
      const sent = await browser.request('POST', url, new URLSearchParams(csrfFrom(form)), headers);
      expect(sent.status).toBe(303);
      const back = await choose(browser, await browser.get(sent.headers['location'] ?? ''), erin);
      expect(back.url.pathname + back.url.search).toBe(`${address}&form-not-sent=1`);
    },
  );

  it('leads to the page after sign-in where an address is too long to be stored', async () => {
    const browser = app.browser();
    await signIn(browser, erin, '/danger');
    later();
    const login = await browser.get(`/danger?text=${'x'.repeat(4_000)}`);
    expect((await choose(browser, login, erin)).url.pathname).toBe('/profile');
  });

  it('accepts no login that the page then finds too old: it asks again once, and then says so', async () => {
    const browser = app.browser();
    await signIn(browser, alice);
    later();
    const slow = async (people: Page) => {
      const callback = await browser.stopAt('/auth/callback', () => choose(browser, people, alice));
      moveTime(320_000);
      return browser.get(callback);
    };
    const again = await slow(await browser.get('/danger'));
    expect(again.url.origin).toBe(app.sandbox.issuer);
    expect(refusalOf(await slow(again))).toEqual(refused('login_too_old'));
    expect(await sessionOf(browser)).not.toBeNull();
  });

  it('answers 503 while Zitadel is away, and keeps the session', async () => {
    const other = await startApp({ controllers: [GuardedRoutes] });
    const browser = other.browser();
    await signIn(browser, bob);
    later();
    await other.sandbox.close();
    const page = await browser.get('/danger');
    expect([page.status, refusalOf(page)]).toEqual([503, refused('provider_unavailable')]);
    expect(await sessionOf(browser)).not.toBeNull();
    await other.app.close();
  });
});

it('a proof that cannot start, since Zitadel is down, leads back to the page', async () => {
  const own = await startApp();
  try {
    const browser = own.browser();
    await signIn(browser, alice);
    later();
    await own.sandbox.close();
    const page = await browser.get('/danger?a=1');
    expect([page.status, page.url.pathname]).toEqual([503, '/danger']);
    const again = page.document.querySelector('main a.button-primary')?.getAttribute('href') ?? '';
    expect(new URL(again, own.origin).searchParams.get('callbackUrl')).toBe('/danger?a=1');
  } finally {
    await own.close();
  }
});
