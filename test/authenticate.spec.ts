import { request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { AuthSession, Public, SessionService, type Session } from '@mridang/nestjs-auth';
import { loginAs } from '@mridang/nestjs-auth/testing';
import {
  apiKeyFrom,
  Authenticate,
  Caller,
  CurrentOrganization,
  CurrentUser,
  describeCredentials,
  RequireFactors,
  RequireFreshSignIn,
  RequireRoles,
  Scopes,
  ZITADEL_OPTIONS,
  ZitadelModule,
  type Organization,
} from '@mridang/nestjs-zitadel';
import { Controller, Get, HttpException, Post, Render, Req } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ApiSecurity, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { Test } from '@nestjs/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { moveTime } from './support/move-time.js';
import { alpha, beta, home, members, sandboxOfOrganizations } from './support/organizations.js';
import { serviceUserTokens } from './support/service-user-tokens.js';
import { choose, signIn } from './support/sign-in.js';
import { startProduction } from './support/start-production.js';
import { startApp, type RunningApp } from './support/start-app.js';

const ME = '/api/v1/me';
const alice = 'alice@acme.example';
/** has a second factor */
const erin = 'erin@acme.example';

interface WhoCalls {
  user?: { id: string };
}

@Controller('both')
@Authenticate('session', 'bearer')
class BothRoutes {
  @Get('admin')
  @RequireRoles('admin')
  admin() {
    return 'admin';
  }

  @Get('any')
  @RequireRoles('admin', { organization: 'any' })
  any() {
    return 'any';
  }

  @Get('data')
  data(@CurrentOrganization() organization: Organization) {
    return organization;
  }

  @Get('acting')
  acting(@CurrentUser() { roles }: { roles: string[] }, @Req() request: { user: { roles: string[] } }) {
    return [roles, request.user.roles];
  }

  @Get('session')
  session(@AuthSession() session: Session | null) {
    return { roles: session?.user.roles ?? null };
  }

  @Get('who')
  who(@Req() { user }: WhoCalls, @CurrentUser() same: unknown, @Caller() caller: Caller | undefined) {
    return { id: user?.id, isSame: user === same, calls: caller?.sub ?? null };
  }

  @Get('fresh')
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  fresh() {
    return 'fresh';
  }

  @Get('factors')
  @RequireFactors('mfa')
  factors() {
    return 'factors';
  }

  @Get('scope')
  @Scopes('phone')
  scope() {
    return 'scope';
  }

  @Post('change')
  change() {
    return 'changed';
  }

  @Post('change/fresh')
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  changeFresh() {
    return 'changed';
  }

  @Get('page')
  @Render('home')
  page() {
    return {};
  }

  @Get('teapot')
  teapot() {
    throw new HttpException('I am a teapot', 418);
  }
}

@Controller('open')
@Public()
class OpenRoutes {
  @Get('guarded')
  @Authenticate('session', 'bearer')
  guarded() {
    return 'guarded';
  }

  @Get('alone')
  @Authenticate('bearer')
  alone(@CurrentUser() { id }: { id: string }) {
    return id;
  }

  @Get('cookie')
  @Authenticate('session')
  cookie(@CurrentUser() { id }: { id: string }) {
    return id;
  }

  @Get('everybody')
  everybody(@CurrentUser() user: { id: string } | undefined) {
    return { id: user?.id ?? null };
  }
}

let app: RunningApp;
const log: string[] = [];
beforeAll(async () => {
  app = await startApp({
    env: (sandbox) =>
      Promise.resolve({
        ORGANIZATIONS: 'active',
        ZITADEL_API_KEY_FILE: JSON.stringify(sandbox.clients.api.key),
        IDP_PROJECT_ID: sandbox.projectId,
      }),
    sandbox: sandboxOfOrganizations,
    controllers: [BothRoutes, OpenRoutes],
    log,
  });
});
afterAll(() => app.close());
afterEach(() => {
  app.sandbox.setAccessTokenTtl(43_200);
  app.sandbox.fail('/oauth/v2/introspect', null);
  app.sandbox.grantRole(members.inOne, 'admin', 'Beta');
});

const asFetch = { accept: '*/*', 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin' };
const asPage = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

interface Person {
  browser: Browser;
  cookie: string;
  token: string;
}

/** A person with a session, and an access token of the same sign-in. */
async function signedIn(loginName = alice, of = app): Promise<Person> {
  const browser = of.browser();
  await signIn(browser, loginName);
  const cookie = await browser.cookieHeader();
  const content = of.app.get(SessionService).lastToken({ method: 'GET', url: '/', headers: { cookie } });
  return { browser, cookie, token: content?.accessToken ?? '' };
}

interface Init {
  method?: string;
  fields?: Record<string, string>;
}

/** Sends a request, without the header fields that `fetch` adds. A list of header fields may have one twice. */
const call = (
  path: string,
  headers: Record<string, string> | string[] = {},
  { method = 'GET', fields }: Init = {},
  of: { origin: string } = app,
) =>
  new Promise<Response>((resolve, reject) => {
    const sent = Array.isArray(headers) ? headers : Object.entries({ ...asFetch, ...headers }).flat();
    const form = fields ? ['content-type', 'application/x-www-form-urlencoded'] : [];
    const request = send(new URL(path, of.origin), {
      method,
      headers: ['host', new URL(of.origin).host, 'connection', 'close', ...sent, ...form],
    });
    request.on('error', reject).on('response', (response) => {
      const { statusCode: status = 0, rawHeaders } = response;
      const pairs = rawHeaders.flatMap((name, at): [string, string][] =>
        at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? '']] : [],
      );
      void text(response).then((body) => resolve(new Response(body, { status, headers: pairs })));
    });
    request.end(fields && new URLSearchParams(fields).toString());
  });

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

const json = async (answer: Response) => (await answer.json()) as Record<string, unknown>;

/** The CSRF token of a person's browser. */
const csrfOf = async (browser: Browser) => csrfFrom(await browser.get('/profile')).csrfToken;

/** Status and code of a JSON answer. */
const refusal = async (answer: Response) => [answer.status, (await json(answer))['code']];

/** The same request of a person by cookie, and by token. */
const byBoth = ({ cookie, token }: Person): [kind: string, headers: Record<string, string>][] => [
  ['session', { cookie }],
  ['bearer', bearer(token)],
];

describe('a user', () => {
  it('is the same for the cookie and for a token of the same sign-in', async () => {
    const person = await signedIn(members.atHome);
    const answers = await Promise.all(
      byBoth(person).map(async ([, headers]) => json(await call(ME, headers))),
    );
    expect(answers[0]).toMatchObject({
      name: expect.any(String),
      username: members.atHome,
      roles: ['editor'],
      allRoles: ['editor', 'admin'],
      organization: { id: alpha.id },
      activeOrganization: { id: alpha.id },
    });
    expect(answers[1]).toEqual(answers[0]);
  });

  it('is what @CurrentUser() injects and what the request has, for both', async () => {
    const person = await signedIn();
    const { id } = await json(await call(ME, { cookie: person.cookie }));
    const answers = await Promise.all(
      byBoth(person).map(async ([, headers]) => json(await call('/both/who', headers))),
    );
    expect(answers).toEqual([
      { id, isSame: true, calls: null },
      { id, isSame: true, calls: id },
    ]);
  });

  it('is a program where a service user calls, and has the members that the scopes of its token allow', async () => {
    const audience = `urn:zitadel:iam:org:project:id:${app.sandbox.projectId}:aud`;
    const { access_token: token } = await serviceUserTokens(app.sandbox, `openid ${audience}`);
    const answer = await call(ME, bearer(token));
    expect(answer.status).toBe(200);
    expect(await json(answer)).toMatchObject({ name: null, email: null, roles: ['viewer'], metadata: {} });
  });

  it('cannot be changed for the next request with the same token', async () => {
    const { token } = await signedIn();
    const before = await json(await call(ME, bearer(token)));
    const { Introspection } = await import('../packages/nestjs-zitadel/src/bearer/introspection.js');
    const caller = await app.app.get<InstanceType<typeof Introspection>>(Introspection).callerOf(token);
    expect(() => caller.user?.roles?.push('admin')).toThrow(TypeError);
    expect(() => caller.user?.roleGrants[0]?.organizations.push(beta)).toThrow(TypeError);
    expect(await json(await call(ME, bearer(token)))).toEqual(before);
  });
});

describe('a request with an Authorization header', () => {
  const bad: [string, string][] = [
    ['a token that Zitadel does not know', 'Bearer unknown'],
    ['a token with a space in it', 'Bearer a b'],
    ['a scheme without a token', 'Bearer'],
    ['an empty header', ''],
    ['Basic credentials', `Basic ${btoa('alice:secret')}`],
    ['a DPoP token', 'DPoP abc'],
    ['two tokens in one header', 'Bearer abc, Bearer def'],
  ];

  it.each(bad)('is refused in spite of a good cookie, which stays as it is: %s', async (_, authorization) => {
    const { browser, cookie } = await signedIn();
    moveTime(70_000);
    for (const headers of [asFetch, asPage]) {
      const answer = await call(ME, { ...headers, cookie, authorization });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer\b/);
      expect(answer.headers.get('content-type')).toContain('application/json');
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect((await browser.get('/profile')).url.pathname).toBe('/profile');
  });

  it('is refused with 400 where there are two, good or not', async () => {
    const { cookie, token } = await signedIn();
    const one = ['authorization', `Bearer ${token}`];
    const answer = await call(ME, ['cookie', cookie, ...one, ...one]);
    expect(await refusal(answer)).toEqual([400, 'API_AUTHORIZATION_AMBIGUOUS']);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('gets no cookie, also where that of a browser would be renewed', async () => {
    const { cookie, token } = await signedIn();
    moveTime(70_000);
    const answer = await call('/both/page', { ...asPage, ...bearer(token), cookie });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
    const renewed = await call(ME, { cookie });
    expect([renewed.status, renewed.headers.getSetCookie().join()]).toEqual([
      200,
      expect.stringContaining('session-token'),
    ]);
  });

  it('is not decided by the session of the cookie, whose roles may be more', async () => {
    const admin = await signedIn(members.inOne);
    const { token } = await signedIn(members.nowhere);
    const answer = await call('/both/admin', { cookie: admin.cookie, ...bearer(token) });
    expect(await refusal(answer)).toEqual([403, 'API_ROLE_REQUIRED']);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    const session = await call('/both/session', { cookie: admin.cookie, ...bearer(token) });
    expect(await json(session)).toEqual({ roles: null });
  });

  it('needs no CSRF token, with a cookie or without', async () => {
    const { cookie, token } = await signedIn();
    for (const headers of [bearer(token), { ...bearer(token), cookie, origin: 'https://other.example' }]) {
      const answer = await call('/both/change', headers, { method: 'POST' });
      expect([answer.status, await answer.text()]).toEqual([201, 'changed']);
    }
  });

  it('gets 503 while Zitadel does not answer, and not the session of its cookie', async () => {
    const { cookie } = await signedIn();
    app.sandbox.fail('/oauth/v2/introspect', 500);
    const answer = await call(ME, { cookie, ...bearer('another') });
    expect(await refusal(answer)).toEqual([503, 'API_INTROSPECTION_UNAVAILABLE']);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('gets JSON for every failure, also where it accepts HTML', async () => {
    const { token } = await signedIn();
    const answer = await call('/both/teapot', { ...asPage, ...bearer(token) });
    expect(await json(answer)).toEqual({ statusCode: 418, message: 'I am a teapot' });
  });

  it('on another route is decided by the cookie, as before', async () => {
    const { cookie } = await signedIn();
    const answer = await call('/profile', { ...asPage, cookie, ...bearer('unknown') });
    expect(answer.status).toBe(200);
  });
});

describe('a request without an Authorization header', () => {
  it('is never decided by a token in the address or in the body', async () => {
    const { token } = await signedIn();
    const query = await call(`${ME}?access_token=${token}`);
    expect(await refusal(query)).toEqual([401, 'AUTH_SESSION_REQUIRED']);
    const form = await call(ME, {}, { method: 'POST', fields: { access_token: token } });
    expect(await refusal(form)).toEqual([401, 'AUTH_SESSION_REQUIRED']);
  });

  it('and without a session leads a page to the sign-in, and back', async () => {
    const browser = app.browser();
    const page = await signIn(browser, alice, ME);
    expect([page.url.pathname, page.status]).toEqual([ME, 200]);
    expect(JSON.parse(page.text)).toMatchObject({ username: alice });
    expect(page.path.at(-1)?.pathname).toBe(ME);
  });

  it('and without a session is a 401 with a challenge for a script', async () => {
    for (const method of ['GET', 'POST']) {
      const answer = await call(ME, {}, { method });
      expect(await refusal(answer)).toEqual([401, 'AUTH_SESSION_REQUIRED']);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    }
  });

  it('gets a page without a challenge where the sign-in is a page', async () => {
    const answer = await call(ME, asPage);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([302, null]);
  });

  it('has its session refreshed, as on a page', async () => {
    app.sandbox.setAccessTokenTtl(30);
    const { cookie } = await signedIn();
    const before = app.sandbox.grants('refresh_token').length;
    moveTime(31_000);
    const answer = await call(ME, { cookie });
    expect(answer.status).toBe(200);
    expect(app.sandbox.grants('refresh_token')).toHaveLength(before + 1);
    expect(answer.headers.getSetCookie().join()).toContain('session-token');
  });

  it('gets 401 when the session has expired or was ended', async () => {
    const { browser, cookie } = await signedIn();
    await browser.submit(await browser.get('/profile'), 'form[action="/auth/logout"]');
    expect((await call(ME, { cookie })).status).toBe(401);
    const late = await signedIn();
    moveTime(3_700_000);
    expect((await call(ME, { cookie: late.cookie })).status).toBe(401);
  });
});

describe('a change by cookie', () => {
  const post = (
    headers: Record<string, string>,
    fields: Record<string, string> = {},
    path = '/both/change',
  ) => call(path, headers, { method: 'POST', fields });

  it.each([
    ['no token', () => ({})],
    ['an invalid token', () => ({ csrfToken: 'invalid' })],
    ['an empty token', () => ({ csrfToken: '' })],
    ['the token of another browser', (foreign: string) => ({ csrfToken: foreign })],
  ])('is refused with %s', async (_, fields) => {
    const { cookie, browser } = await signedIn();
    await csrfOf(browser);
    const foreign = await csrfOf((await signedIn()).browser);
    const given: Record<string, string> = fields(foreign);
    expect(await refusal(await post({ cookie }, given))).toEqual([403, 'AUTH_CSRF_TOKEN_INVALID']);
    if (given['csrfToken'] === undefined) return;
    const header = await post({ cookie, 'x-csrf-token': given['csrfToken'] });
    expect(await refusal(header)).toEqual([403, 'AUTH_CSRF_TOKEN_INVALID']);
  });

  it('is done with the token in the form or in the header', async () => {
    const { browser } = await signedIn();
    const csrfToken = await csrfOf(browser);
    const cookie = await browser.cookieHeader();
    expect((await post({ cookie }, { csrfToken })).status).toBe(201);
    expect((await post({ cookie, 'x-csrf-token': csrfToken })).status).toBe(201);
  });

  it('is decided by the header where form and header differ', async () => {
    const { browser } = await signedIn();
    const csrfToken = await csrfOf(browser);
    const cookie = await browser.cookieHeader();
    expect((await post({ cookie, 'x-csrf-token': 'invalid' }, { csrfToken })).status).toBe(403);
    expect((await post({ cookie, 'x-csrf-token': csrfToken }, { csrfToken: 'invalid' })).status).toBe(201);
  });

  it('is refused where another site sends it', async () => {
    const { browser } = await signedIn();
    const csrfToken = await csrfOf(browser);
    const cookie = await browser.cookieHeader();
    const answer = await post(
      { cookie, origin: 'https://other.example', 'sec-fetch-site': 'cross-site' },
      { csrfToken },
    );
    expect(await refusal(answer)).toEqual([403, 'AUTH_CROSS_SITE_REQUEST']);
  });
});

describe('POST /api/v1/me', () => {
  it('reads the roles again for a session, and leads a form back to its page', async () => {
    const { browser } = await signedIn(members.inOne);
    const csrfToken = await csrfOf(browser);
    app.sandbox.revokeRole(members.inOne, 'admin', 'Beta');
    const cookie = await browser.cookieHeader();
    expect(await json(await call(ME, { cookie }))).toMatchObject({ roles: ['admin'] });
    const form = { method: 'POST', fields: { csrfToken, callbackUrl: '/profile#roles' } };
    const answer = await call(ME, { ...asPage, cookie }, form);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/profile#roles']);
    expect(answer.headers.getSetCookie().join()).toContain('session-token');
  });

  it.each(['https://other.example/', '//other.example', ''])(
    'leads a form to a page of this application alone: %j',
    async (callbackUrl) => {
      const { browser } = await signedIn();
      const csrfToken = await csrfOf(browser);
      const answer = await browser.post(ME, { csrfToken, callbackUrl });
      expect([answer.status, answer.headers['location']]).toEqual([303, '/profile']);
    },
  );

  it('reads the roles again for a token, whose introspection is known already', async () => {
    const { token } = await signedIn(members.inOne);
    expect(await json(await call(ME, bearer(token)))).toMatchObject({ roles: ['admin'] });
    app.sandbox.revokeRole(members.inOne, 'admin', 'Beta');
    expect(await json(await call(ME, bearer(token)))).toMatchObject({ roles: ['admin'] });
    const answer = await call(ME, bearer(token), { method: 'POST' });
    expect([answer.status, await json(answer)]).toEqual([200, expect.objectContaining({ roles: [] })]);
    expect(await json(await call(ME, bearer(token)))).toMatchObject({ roles: [] });
  });

  it('answers a script with the user, in the organization that it asks for', async () => {
    const { browser } = await signedIn(members.inTwo);
    const csrfToken = await csrfOf(browser);
    const headers = {
      cookie: await browser.cookieHeader(),
      'x-csrf-token': csrfToken,
      'x-organization': beta.id,
    };
    const answer = await call(ME, headers, { method: 'POST' });
    expect([answer.status, await json(answer)]).toEqual([
      200,
      expect.objectContaining({
        roles: ['editor'],
        activeOrganization: expect.objectContaining({ id: beta.id }),
      }),
    ]);
  });
});

describe('a role in an organization', () => {
  it('counts in the active organization, for cookie and token alike', async () => {
    const person = await signedIn(members.inOne);
    for (const [, headers] of byBoth(person)) {
      expect((await call('/both/admin', headers)).status).toBe(200);
      expect(await json(await call('/both/data', headers))).toMatchObject({ id: beta.id });
    }
    const atHome = await signedIn(members.atHome);
    const codes = { session: 'AUTH_ROLES_REQUIRED', bearer: 'API_ROLE_REQUIRED' };
    for (const [kind, headers] of byBoth(atHome)) {
      expect(await refusal(await call('/both/admin', headers))).toEqual([
        403,
        codes[kind as keyof typeof codes],
      ]);
      expect((await call('/both/any', headers)).status).toBe(200);
    }
  });

  it('counts in the organization of the header X-Organization, for that request alone', async () => {
    const person = await signedIn(members.atHome);
    for (const [, headers] of byBoth(person)) {
      const inBeta = { ...headers, 'x-organization': beta.id };
      expect((await call('/both/admin', inBeta)).status).toBe(200);
      expect(await json(await call('/both/data', inBeta))).toMatchObject({ id: beta.id });
      expect(await json(await call('/both/acting', inBeta))).toEqual([['admin'], ['admin']]);
      expect((await call('/both/admin', headers)).status).toBe(403);
      expect(await json(await call('/both/acting', headers))).toEqual([['editor'], ['editor']]);
    }
    const session = await call('/both/session', { cookie: person.cookie, 'x-organization': beta.id });
    expect(await json(session)).toEqual({ roles: ['admin'] });
  });

  it('is refused with the same codes where the choice is open, or the organization grants none', async () => {
    const person = await signedIn(members.inTwo);
    for (const [, headers] of byBoth(person)) {
      for (const path of ['/both/admin', '/both/data']) {
        expect(await refusal(await call(path, headers))).toEqual([403, 'ORGANIZATION_REQUIRED']);
        const elsewhere = { ...headers, 'x-organization': home.id };
        expect(await refusal(await call(path, elsewhere))).toEqual([403, 'ORGANIZATION_WITHOUT_ROLES']);
      }
    }
  });

  it('is not looked for in the header on other routes', async () => {
    const { cookie } = await signedIn(members.atHome);
    const answer = await call('/admin', { cookie, 'x-organization': beta.id });
    expect(answer.status).toBe(403);
  });
});

describe('what a route asks of a sign-in', () => {
  it('holds for cookie and token alike', async () => {
    const [young, several] = [await signedIn(), await signedIn(erin)];
    for (const [, headers] of byBoth(young)) {
      expect((await call('/both/fresh', headers)).status).toBe(200);
      const answer = await call('/both/factors', headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_user_authentication"');
    }
    for (const [, headers] of byBoth(several))
      expect((await call('/both/factors', headers)).status).toBe(200);
    moveTime(200_000);
    for (const [kind, headers] of byBoth(young)) {
      const answer = await call('/both/fresh', headers);
      expect([kind, answer.status, answer.headers.get('www-authenticate')]).toEqual([
        kind,
        401,
        expect.stringContaining('max_age="60"'),
      ]);
    }
  });

  it('leads a browser to a new sign-in, and a program never', async () => {
    const { browser, token } = await signedIn();
    moveTime(200_000);
    const login = await browser.get('/both/fresh');
    expect(login.url.origin).toBe(app.sandbox.issuer);
    const page = await choose(browser, login, alice);
    expect([page.url.pathname, page.text]).toEqual(['/both/fresh', 'fresh']);
    const answer = await call('/both/fresh', { ...asPage, ...bearer(token) });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('content-type')).toContain('application/json');
  });

  it('of a form is asked for after its CSRF token, and leads back to the page of the form', async () => {
    const { browser } = await signedIn();
    const page = await browser.get('/profile');
    moveTime(200_000);
    const send = (form: Record<string, string>) =>
      browser.request('POST', new URL('/both/change/fresh', app.origin), new URLSearchParams(form), {
        ...asPage,
        referer: `${app.origin}/profile`,
      });
    const refused = await send({});
    expect([refused.status, refused.text]).toEqual([403, expect.stringContaining('AUTH_CSRF_TOKEN_INVALID')]);
    const answer = await send(csrfFrom(page));
    const login = await browser.get(answer.headers['location'] ?? '');
    const back = await choose(browser, login, alice);
    expect(back.url.pathname + back.url.search).toBe('/profile?form-not-sent=1');
    expect((await send(csrfFrom(back))).text).toBe('changed');
  });

  it('includes the scopes of a token, which a session does not have', async () => {
    const person = await signedIn();
    const [session, token] = byBoth(person).map(([, headers]) => headers);
    expect((await call('/both/scope', session)).status).toBe(200);
    const answer = await call('/both/scope', token);
    expect(await refusal(answer)).toEqual([403, 'API_SCOPE_REQUIRED']);
    expect(answer.headers.get('www-authenticate')).toContain('scope="phone"');
  });
});

describe('a method of a public class', () => {
  it('is guarded by its own decorator', async () => {
    const { cookie, token } = await signedIn();
    expect((await call('/open/guarded')).status).toBe(401);
    expect((await call('/open/guarded', { cookie })).status).toBe(200);
    expect((await call('/open/guarded', bearer(token))).status).toBe(200);
    expect((await call('/open/cookie')).status).toBe(401);
  });

  it('takes a token alone, and then no cookie', async () => {
    const { cookie, token } = await signedIn();
    expect((await call('/open/alone', bearer(token))).status).toBe(200);
    const answer = await call('/open/alone', { cookie });
    expect(await refusal(answer)).toEqual([401, 'API_TOKEN_REQUIRED']);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('takes the cookie alone, and then no header decides', async () => {
    const { cookie } = await signedIn();
    expect((await call('/open/cookie', { cookie, ...bearer('unknown') })).status).toBe(200);
  });

  it('stays public without a decorator', async () => {
    const { token } = await signedIn();
    const answer = await call('/open/everybody', bearer(token));
    expect(await json(answer)).toEqual({ id: null });
  });
});

describe('the header fields of an answer', () => {
  const fieldsOf = ({ headers }: Response) => [
    headers.get('cache-control'),
    (headers.get('vary') ?? '').split(/, */).sort(),
  ];

  it('forbid to store it, and name what it depends on, whatever the answer is', async () => {
    const [{ cookie, token }, poor] = [await signedIn(), await signedIn(members.nowhere)];
    const answers = await Promise.all([
      call(ME),
      call(ME, asPage),
      call(ME, { cookie }),
      call(ME, { cookie }, { method: 'HEAD' }),
      call(ME, { cookie }, { method: 'POST' }),
      call(ME, bearer(token)),
      call(ME, bearer('unknown')),
      call('/both/admin', bearer(poor.token)),
      call('/both/teapot', { cookie }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([401, 302, 200, 200, 403, 200, 401, 403, 418]);
    for (const answer of answers) expect(fieldsOf(answer)).toEqual(['no-store', ['Authorization', 'Cookie']]);
  });

  it('stay as they were on other routes', async () => {
    const { cookie } = await signedIn();
    const answer = await call('/auth/session', { cookie });
    expect(answer.headers.get('vary')).toBe('Cookie');
  });
});

describe('other methods', () => {
  it('HEAD is answered as GET, without a CSRF token', async () => {
    const person = await signedIn();
    for (const [, headers] of byBoth(person)) {
      const answer = await call(ME, headers, { method: 'HEAD' });
      expect([answer.status, await answer.text()]).toEqual([200, '']);
    }
    expect((await call(ME, {}, { method: 'HEAD' })).status).toBe(401);
  });

  it('OPTIONS names the methods and reads no cookie', async () => {
    const { cookie } = await signedIn();
    moveTime(70_000);
    const answer = await call(ME, { cookie }, { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });
});

describe('the OpenAPI document of the web application', () => {
  it('has both schemes at the route, and the CSRF token where something changes', async () => {
    const document = (await (await call('/api-json')).json()) as {
      servers: { url: string }[];
      paths: Record<
        string,
        Record<string, { security: object[]; parameters: { name: string }[]; responses: object }>
      >;
      components: { securitySchemes: Record<string, { name?: string }> };
    };
    expect(Object.keys(document.paths)).toEqual([ME]);
    expect(document.servers).toEqual([{ url: app.origin }]);
    const { get, post } = document.paths[ME] ?? {};
    for (const operation of [get, post])
      expect(operation?.security).toEqual([{ cookie: [] }, { bearer: [] }]);
    expect(get?.parameters.map(({ name }) => name)).toEqual(['X-Organization']);
    expect(post?.parameters.map(({ name }) => name)).toEqual(['X-CSRF-Token', 'X-Organization']);
    expect(Object.keys(post?.responses ?? {})).toEqual(expect.arrayContaining(['401', '403']));
    const { browser } = await signedIn();
    const sent = (await browser.cookies()).map(({ key }) => key);
    expect(sent).toContain(document.components.securitySchemes['cookie']?.name);
    expect(document.components.securitySchemes['bearer']).toMatchObject({ type: 'http', scheme: 'bearer' });
  });
});

it('a key that Zitadel refuses is a mistake in the set-up, and tokens are counted in the metrics', async () => {
  const refusing = await startApp({
    env: ({ clients }) =>
      Promise.resolve({ ZITADEL_API_KEY_FILE: JSON.stringify({ ...clients.api.key, keyId: '1' }) }),
  });
  const get = async (path: string) => (await fetch(refusing.origin + path)).text();
  expect(await get('/health/ready')).not.toContain('api_key_refused');
  expect((await call(ME, bearer('unknown'), {}, refusing)).status).toBe(503);
  expect(await get('/health/ready')).toContain('api_key_refused');
  expect(await get('/metrics')).toContain('introspections_total{result="unavailable"} 1');
  await refusing.close();
});

it.each([
  ['development', 200],
  ['production', 404],
])(
  'the built program describes its routes, in production none, and goes on: %s',
  async (NODE_ENV, status) => {
    const { origin, sandbox, program } = await startProduction({ NODE_ENV });
    try {
      const answers = [];
      for (const path of ['/api-json', '/api-json', '/health/live'])
        answers.push((await fetch(origin + path)).status);
      expect(answers).toEqual([status, status, 200]);
      expect((await fetch(origin + ME)).status).toBe(401);
    } finally {
      await program.stop();
      await sandbox.close();
    }
  },
);

describe('without ZITADEL_API_KEY_FILE', () => {
  let plain: RunningApp;
  beforeAll(async () => {
    plain = await startApp();
  });
  afterAll(() => plain.close());

  it('the cookie counts, and every token is refused', async () => {
    const { cookie, token } = await signedIn(alice, plain);
    expect((await call(ME, { cookie }, {}, plain)).status).toBe(200);
    const answers = [`Bearer ${token}`, 'Basic abc'].map((authorization) =>
      call(ME, { cookie, authorization }, {}, plain),
    );
    const [bearerAnswer, basicAnswer] = await Promise.all(answers);
    expect(await json(bearerAnswer as Response)).toMatchObject({
      code: 'API_TOKEN_INVALID',
      explanation: {
        held: { tokenProblem: 'this program takes no bearer tokens' },
        help: expect.stringContaining('ZITADEL_API_KEY_FILE'),
      },
    });
    expect(await refusal(basicAnswer as Response)).toEqual([401, 'API_TOKEN_REQUIRED']);
    for (const answer of [bearerAnswer, basicAnswer]) {
      expect(answer?.headers.get('www-authenticate')).toMatch(/^Bearer/);
      expect(answer?.headers.getSetCookie()).toEqual([]);
    }
  });

  it('the 401 for a script does not ask for a token', async () => {
    const answer = await call(ME, {}, {}, plain);
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, null]);
  });
});

describe('the option `authenticate` of the module', () => {
  @Controller('default')
  class DefaultRoutes {
    @Get()
    me(@CurrentUser() { id }: { id: string }) {
      return { id };
    }

    @Post()
    change() {
      return {};
    }

    @Get('cookie')
    @Authenticate('session')
    cookie() {
      return {};
    }

    @Get('open')
    @Public()
    open() {
      return {};
    }
  }

  @Controller('described')
  @Authenticate('session', 'bearer')
  class DescribedRoutes {
    @Get('both')
    both() {
      return {};
    }

    @Get('bearer')
    @Authenticate('bearer')
    bearer() {
      return {};
    }

    @Post('cookie')
    @Authenticate('session')
    cookie() {
      return {};
    }

    @Get('open')
    @Public()
    open() {
      return {};
    }

    @Get('more')
    @ApiSecurity('zitadel')
    more() {
      return {};
    }
  }

  let origin: string;
  let nest: NestExpressApplication;
  beforeAll(async () => {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    const zitadel = ZitadelModule.register({
      issuer: app.sandbox.issuer,
      clientId: app.sandbox.clients.web.clientId,
      redirectUri: `${origin}/auth/callback`,
      secret: 'a secret for the tests that is long enough',
      checkAtStart: false,
      authenticate: ['session', 'bearer'],
      bearer: { key: apiKeyFrom({ file: JSON.stringify(app.sandbox.clients.api.key) }) },
    });
    const module = await Test.createTestingModule({
      imports: [zitadel],
      controllers: [DefaultRoutes, DescribedRoutes],
    }).compile();
    nest = module.createNestApplication<NestExpressApplication>({ logger: false });
    await nest.listen(port);
  });
  afterAll(() => nest.close());

  const ask = (path: string, headers: Record<string, string>, init?: Init) =>
    call(path, headers, init, { origin });

  it('counts for routes without a decorator', async () => {
    const [{ token }, { cookie }] = [await signedIn(), await loginAs(nest, { sub: '320000000000000011' })];
    for (const headers of [{ cookie }, bearer(token), { cookie, ...bearer(token) }])
      expect(await json(await ask('/default', headers))).toEqual({ id: '320000000000000011' });
    const answer = await ask('/default', { cookie, ...bearer('unknown') });
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([401, []]);
    expect((await ask('/default', { cookie }, { method: 'POST' })).status).toBe(403);
    expect((await ask('/default', bearer(token), { method: 'POST' })).status).toBe(201);
  });

  it('is not described, unlike the decorator, of which that of the method counts, beside the schemes of the program', () => {
    const own = { type: 'http', scheme: 'bearer', description: 'A token of ours' } as const;
    const builder = new DocumentBuilder().addSecurity('zitadel', own).addSecurity('bearer', own);
    const document = SwaggerModule.createDocument(nest, builder.build());
    const { paths, components } = describeCredentials(document, nest.get(ZITADEL_OPTIONS));
    const securityOf = (path: string) => {
      const { get, post } = paths[path] ?? {};
      return ((get ?? post)?.security ?? []).flatMap(Object.keys);
    };
    expect(
      ['both', 'bearer', 'cookie', 'open', 'more'].map((name) => securityOf(`/described/${name}`)),
    ).toEqual([['cookie', 'bearer'], ['bearer'], ['cookie'], [], ['zitadel', 'cookie', 'bearer']]);
    expect(securityOf('/default')).toEqual([]);
    expect(components?.securitySchemes).toMatchObject({
      zitadel: own,
      bearer: own,
      cookie: { in: 'cookie' },
    });
  });

  it('does not count for public routes, for those with a decorator, and for those of the module', async () => {
    const { cookie } = await loginAs(nest, { sub: '320000000000000011' });
    const both = { cookie, ...bearer('unknown') };
    expect((await ask('/default/open', both)).status).toBe(200);
    expect((await ask('/default/cookie', both)).status).toBe(200);
    expect((await ask('/auth/session', both)).status).toBe(200);
    expect((await ask('/auth/userinfo', bearer('unknown'))).status).toBe(401);
    const page = { ...both, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    expect((await ask('/auth/fresh-sign-in?max_age=300', page)).status).toBe(302);
  });
});

describe('@Authenticate()', () => {
  it.each([[[]], [['cookie']], [['session', 'Bearer']]])('is refused for %j', (kinds) => {
    expect(() => Authenticate(...(kinds as ['session']))).toThrow(TypeError);
  });
});
