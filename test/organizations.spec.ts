import { AuthSession, RequireRoles as RequireRolesOfUser, type Session } from '@mridang/nestjs-auth';
import { CurrentOrganization, RequireRoles, type Organization } from '@mridang/nestjs-zitadel';
import { Controller, Get } from '@nestjs/common';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom, type Browser, type Page } from './support/browser.js';
import { listening } from './support/listening.js';
import { moveTime } from './support/move-time.js';
import {
  alpha,
  beta,
  members,
  sandboxOfOrganizations,
  shown,
  shownWithName,
} from './support/organizations.js';
import { refusalOf, refused } from './support/refusal.js';
import { choose as chooseUser, signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { startProduction } from './support/start-production.js';
import { textOf } from './support/text-of.js';
import { until } from './support/until.js';

@Controller('tenant')
class TenantRoutes {
  @Get('data')
  data(@CurrentOrganization() organization: Organization) {
    return organization;
  }

  @Get('any')
  @RequireRoles('admin', { organization: 'any' })
  any(@AuthSession() { user }: Session) {
    return { roles: user.roles, all: user.allRoles };
  }

  @Get('auditor')
  @RequireRoles('auditor')
  auditor() {
    return {};
  }

  @Get('active')
  @RequireRoles('admin', { organization: 'active' })
  active() {
    return {};
  }
}

@Controller('any')
@RequireRoles('admin', { organization: 'any' })
class AnyRoutes {
  @Get()
  all() {
    return {};
  }

  /** its own decorator counts, and not a part of that of the class */
  @Get('strict')
  @RequireRolesOfUser('admin')
  strict() {
    return {};
  }
}

const HERE = 'form[action="/auth/organization"]';
const CHOICE = `main ${HERE}`;
const USERINFO = '/oidc/v1/userinfo';
const TOKEN = '/oauth/v2/token';

let app: RunningApp;
let api: Awaited<ReturnType<typeof listening>>;
/** the organizations of the calls of the API */
let calls: unknown[] = [];
beforeAll(async () => {
  api = await listening(({ headers }, response) => {
    calls.push(headers['x-organization']);
    response.end('"Hello World!"');
  });
  app = await startApp({
    env: { ORGANIZATIONS: 'active', API_URL: api.origin },
    sandbox: sandboxOfOrganizations,
    controllers: [TenantRoutes, AnyRoutes],
  });
});
afterAll(async () => {
  await app.close();
  await api.close();
});
afterEach(() => {
  app.sandbox.grantRole(members.atHome, 'editor', 'Alpha');
  app.sandbox.grantRole(members.atHome, 'admin', 'Beta');
  app.sandbox.revokeRole(members.inOne, 'editor', 'Alpha');
  app.sandbox.setAccessTokenTtl(43_200);
  for (const endpoint of [USERINFO, TOKEN]) app.sandbox.delay(endpoint, 0);
});

async function signedIn(loginName: string, of = app): Promise<Browser> {
  const browser = of.browser();
  await signIn(browser, loginName);
  return browser;
}

async function userOf(browser: Browser): Promise<Record<string, unknown>> {
  const { user } = JSON.parse((await browser.get('/auth/session')).text) as { user: Record<string, unknown> };
  return user;
}

const activeOf = async (browser: Browser) =>
  ((await userOf(browser))['activeOrganization'] as Organization | undefined)?.id;

const setsSession = ({ headers }: Response) => headers.getSetCookie().join().includes('session-token');

const asProgram = { accept: 'application/json', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };

/** Status and body that a program gets, as the browser's user. */
async function json(browser: Browser, path: string, form?: Record<string, string>): Promise<unknown[]> {
  const method = form ? 'POST' : 'GET';
  const body = form && new URLSearchParams(form);
  const url = new URL(path, app.origin);
  const answer = await browser.request(method, url, body, { ...asProgram, origin: app.origin });
  return [answer.status, answer.body as unknown];
}

const choose = (browser: Browser, page: Page, { id }: { id: string }, form = HERE) =>
  browser.submit(page, form, { fields: { organization: id } });

describe('a sign-in', () => {
  it('activates the home organization if it grants roles, and names all organizations that grant some', async () => {
    expect(await userOf(await signedIn(members.atHome))).toMatchObject({
      roles: ['editor'],
      allRoles: ['editor', 'admin'],
      organizations: [shownWithName(alpha), shown(beta)],
      activeOrganization: shownWithName(alpha),
      organization: shownWithName(alpha),
    });
  });

  it('activates the only organization of a user without roles at home', async () => {
    expect(await userOf(await signedIn(members.inOne))).toMatchObject({
      roles: ['admin'],
      organizations: [shown(beta)],
      activeOrganization: shown(beta),
    });
  });

  it('activates none of several organizations, and no role counts', async () => {
    const user = await userOf(await signedIn(members.inTwo));
    expect(user).toMatchObject({ roles: [], organizations: [shown(alpha), shown(beta)] });
    expect(user).not.toHaveProperty('activeOrganization');
  });

  it('activates none for a user without roles, who has nothing to choose', async () => {
    const browser = await signedIn(members.nowhere);
    expect(await userOf(browser)).toMatchObject({ roles: [], organizations: [] });
    const page = await browser.get('/admin');
    expect([page.status, page.document.querySelector('h1')?.text]).toEqual([403, 'No access']);
    expect(page.document.querySelector(HERE)).toBeNull();
  });
});

describe('a page that requires a role', () => {
  it('is refused to a user who has the role in another organization, and offers that one', async () => {
    const browser = await signedIn(members.atHome);
    const refused = await browser.get('/admin?from=link');
    expect([refused.status, refused.document.querySelector('h1')?.text]).toEqual([403, 'No access']);
    expect(textOf(refused)).toContain('You have the role in another organization:');
    const offered = refused.document.querySelectorAll(`${CHOICE} option`);
    expect(offered.map(({ text }) => text)).toEqual(['beta.example']);
    const page = await choose(browser, refused, beta, CHOICE);
    expect([page.status, page.url.pathname + page.url.search]).toEqual([200, '/admin?from=link']);
    expect(textOf(page)).toContain('You act for beta.example.');
    expect(page.document.querySelector('nav a[href="/admin"]')).not.toBeNull();
  });

  it('lets a user without an active organization choose one, and opens', async () => {
    const browser = await signedIn(members.inTwo);
    const asked = await browser.get('/admin');
    expect([asked.status, asked.document.querySelector('h1')?.text]).toEqual([403, 'Which organization?']);
    // In Beta the page would be refused again.
    const offered = asked.document.querySelectorAll(`${CHOICE} option[value]`);
    expect(offered.map(({ text }) => text)).toEqual(['alpha.example']);
    const page = await choose(browser, asked, alpha, CHOICE);
    expect([page.status, page.url.pathname]).toEqual([200, '/admin']);
  });

  it('asks for the organization in the language of the browser', async () => {
    const browser = await signedIn(members.inTwo);
    const [german, french] = [
      await browser.get('/admin', { 'accept-language': 'de' }),
      await browser.get('/admin', { 'accept-language': 'fr' }),
    ].map((page) => page.document.querySelector('h1')?.text);
    expect([german, french]).toEqual(['Welche Organisation?', 'Quelle organisation ?']);
  });

  it('tells a program whether the choice or the role is missing, also before a choice that would not help', async () => {
    const undecided = await json(await signedIn(members.inTwo), '/admin');
    expect(undecided).toMatchObject([403, { code: 'ORGANIZATION_REQUIRED' }]);
    expect(await json(await signedIn(members.atHome), '/admin')).toMatchObject([
      403,
      { code: 'AUTH_ROLES_REQUIRED' },
    ]);
    expect(await json(await signedIn(members.inTwo), '/tenant/auditor')).toMatchObject([
      403,
      { code: 'AUTH_ROLES_REQUIRED' },
    ]);
  });

  it('accepts a role of any organization with `organization: any`, and ignores the decorator of the class beside its own', async () => {
    const browser = await signedIn(members.atHome);
    expect(await json(browser, '/tenant/any')).toEqual([
      200,
      { roles: ['editor'], all: ['editor', 'admin'] },
    ]);
    expect((await json(browser, '/tenant/active'))[0]).toBe(403);
    expect((await json(browser, '/any'))[0]).toBe(200);
    expect((await json(browser, '/any/strict'))[0]).toBe(403);
    const nobody = await signedIn(members.nowhere);
    expect(await json(nobody, '/tenant/any')).toMatchObject([403, { code: 'AUTH_ROLES_REQUIRED' }]);
  });
});

describe('@CurrentOrganization()', () => {
  it('injects the active organization, also without required roles', async () => {
    const browser = await signedIn(members.atHome);
    expect(await json(browser, '/tenant/data')).toEqual([200, shownWithName(alpha)]);
    await choose(browser, await browser.get('/profile'), beta);
    expect(await json(browser, '/tenant/data')).toEqual([200, shown(beta)]);
  });

  it('refuses a user who has to choose, and a user without roles', async () => {
    const browser = await signedIn(members.inTwo);
    expect(await json(browser, '/tenant/data')).toMatchObject([403, { code: 'ORGANIZATION_REQUIRED' }]);
    const page = await choose(browser, await browser.get('/tenant/data'), beta, CHOICE);
    expect(JSON.parse(page.text)).toEqual(shown(beta));
    expect(await json(await signedIn(members.nowhere), '/tenant/data')).toMatchObject([
      403,
      { code: 'AUTH_ROLES_REQUIRED' },
    ]);
  });
});

describe('the switch', () => {
  it('changes the organization without a request to Zitadel, and leads back', async () => {
    const browser = await signedIn(members.atHome);
    const profile = await browser.get('/profile');
    const selected = profile.document.querySelectorAll(`header ${HERE} option[selected]`);
    expect(selected.map(({ text }) => text)).toEqual(['Alpha']);
    const before = app.sandbox.requests.length;
    const page = await choose(browser, profile, beta);
    expect([page.status, page.url.pathname]).toEqual([200, '/profile']);
    expect(app.sandbox.requests.slice(before)).toEqual([]);
    expect(await userOf(browser)).toMatchObject({ roles: ['admin'], activeOrganization: shown(beta) });
  });

  it.each([
    ['no CSRF token', { organization: beta.id }, 'AUTH_CSRF_TOKEN_INVALID'],
    ['an organization without roles', { organization: '300000000010000103' }, 'ORGANIZATION_WITHOUT_ROLES'],
    ['no organization', {}, 'ORGANIZATION_WITHOUT_ROLES'],
    ['the name of a member of objects', { organization: 'constructor' }, 'ORGANIZATION_WITHOUT_ROLES'],
  ])('is refused with %s, and nothing changes', async (_what, fields, code) => {
    const browser = await signedIn(members.atHome);
    const token = code.startsWith('ORGANIZATION') ? csrfFrom(await browser.get('/profile')) : {};
    expect(await json(browser, '/auth/organization', { ...token, ...fields })).toMatchObject([403, { code }]);
    expect(await activeOf(browser)).toBe(alpha.id);
  });

  it('leads to no other site, and to the page after sign-in without one to return to', async () => {
    const browser = await signedIn(members.atHome);
    const token = csrfFrom(await browser.get('/profile'));
    for (const callbackUrl of ['https://evil.example/', '//evil.example', '']) {
      const answer = await browser.request(
        'POST',
        new URL('/auth/organization', app.origin),
        new URLSearchParams({ ...token, organization: beta.id, callbackUrl }),
        { origin: app.origin },
      );
      expect([answer.status, answer.headers['location']]).toEqual([303, '/profile']);
    }
  });

  it('leads back to a page with a long address', async () => {
    const browser = await signedIn(members.atHome);
    const address = `/profile?text=${'long'.repeat(300)}`;
    const page = await choose(browser, await browser.get(address), beta);
    expect(page.url.pathname + page.url.search).toBe(address);
    expect(await activeOf(browser)).toBe(beta.id);
  });

  it('is not there for visitors and for users with roles in one organization', async () => {
    expect((await app.browser().post('/auth/organization', { organization: beta.id })).status).toBe(303);
    const page = await (await signedIn(members.inOne)).get('/profile');
    expect(page.document.querySelector(HERE)).toBeNull();
  });
});

describe('a choice', () => {
  const chosen = async () => {
    const browser = await signedIn(members.atHome);
    await choose(browser, await browser.get('/profile'), beta);
    return browser;
  };

  it('survives a refresh and a reload of the claims', async () => {
    app.sandbox.setAccessTokenTtl(60);
    const browser = await chosen();
    app.sandbox.setAccessTokenTtl(43_200);
    const refreshes = app.sandbox.grants('refresh_token').length;
    moveTime(55_000);
    await browser.get('/profile');
    expect(app.sandbox.grants('refresh_token')).toHaveLength(refreshes + 1);
    expect(await activeOf(browser)).toBe(beta.id);
    moveTime(300_000);
    await browser.get('/profile');
    expect(await activeOf(browser)).toBe(beta.id);
  });

  it('is stored also when the same request reads the claims again', async () => {
    const browser = await signedIn(members.atHome);
    const profile = await browser.get('/profile');
    moveTime(300_000);
    await choose(browser, profile, beta);
    expect(await activeOf(browser)).toBe(beta.id);
    expect((await browser.get('/admin')).status).toBe(200);
  });

  it('is sent to the API with the call that the application makes for the user', async () => {
    const browser = await signedIn(members.atHome);
    calls = [];
    await browser.get('/profile/api');
    await choose(browser, await browser.get('/profile'), beta);
    await browser.get('/profile/api');
    await (await signedIn(members.inTwo)).get('/profile/api');
    expect(calls).toEqual([alpha.id, beta.id, undefined]);
  });

  it('is followed by none when its roles are gone, until the user chooses again', async () => {
    const browser = await chosen();
    app.sandbox.revokeRole(members.atHome, 'admin', 'Beta');
    moveTime(300_000);
    await browser.get('/profile');
    expect(await userOf(browser)).toMatchObject({ roles: [], organizations: [shownWithName(alpha)] });
    expect(await activeOf(browser)).toBeUndefined();
    expect(await json(browser, '/tenant/data')).toMatchObject([403, { code: 'ORGANIZATION_REQUIRED' }]);
    const asked = await browser.get('/tenant/data');
    const page = await choose(browser, asked, alpha, CHOICE);
    expect(JSON.parse(page.text)).toEqual(shownWithName(alpha));
  });

  it('is offered in the header also when one organization is left', async () => {
    const browser = await chosen();
    app.sandbox.revokeRole(members.atHome, 'admin', 'Beta');
    moveTime(300_000);
    await choose(browser, await browser.get('/profile'), alpha);
    expect(await activeOf(browser)).toBe(alpha.id);
  });

  it.each([
    ['userinfo', USERINFO, '/profile/live', 0],
    ['a refresh', TOKEN, '/profile', 55_000],
  ])('is not undone by a response that waits for %s', async (_what, endpoint, path, afterMs) => {
    app.sandbox.setAccessTokenTtl(60);
    const browser = await signedIn(members.atHome);
    app.sandbox.setAccessTokenTtl(43_200);
    const profile = await browser.get('/profile');
    const before = await browser.cookieHeader();
    moveTime(afterMs);
    app.sandbox.delay(endpoint, 1_000);
    const asked = app.sandbox.requests.length;
    const underWay = fetch(app.origin + path, { headers: { cookie: before } });
    await until(() => app.sandbox.requests.slice(asked).some((one) => one.path === endpoint));
    await choose(browser, profile, beta);
    for (const line of (await underWay).headers.getSetCookie()) browser.jar.setCookieSync(line, app.origin);
    expect(await activeOf(browser)).toBe(beta.id);
    expect(await json(browser, '/tenant/data')).toEqual([200, shown(beta)]);
  });

  it('counts for a request with the cookie from before, whose response sets it', async () => {
    const browser = await signedIn(members.atHome);
    const before = await browser.cookieHeader();
    await choose(browser, await browser.get('/profile'), beta);
    browser.forget(/session-token/);
    for (const pair of before.split('; ')) browser.jar.setCookieSync(pair, app.origin);
    expect(await json(browser, '/tenant/data')).toEqual([200, shown(beta)]);
    expect(await browser.cookieHeader()).not.toBe(before);
    expect(await json(browser, '/tenant/data')).toEqual([200, shown(beta)]);
  });

  it('counts for the cookie of the choice before it, and for the sign-in that follows on it', async () => {
    const browser = await chosen();
    const before = await browser.cookieHeader();
    const profile = await browser.get('/profile');
    await choose(browser, profile, alpha);
    await choose(browser, await browser.get('/profile'), beta);
    await choose(browser, await browser.get('/profile'), alpha);
    const answer = await fetch(`${app.origin}/tenant/data`, { headers: { cookie: before } });
    expect(await answer.json()).toEqual(shownWithName(alpha));
    expect(setsSession(answer)).toBe(true);
  });

  it('survives another sign-in of the same user, and is not taken over by somebody else', async () => {
    const browser = await chosen();
    const again = async (loginName: string) => {
      const login = await browser.get('/auth/login?prompt=login');
      await chooseUser(browser, await browser.submit(login, 'main form'), loginName);
    };
    await again(members.atHome);
    expect(await activeOf(browser)).toBe(beta.id);
    await again(members.inTwo);
    expect(await activeOf(browser)).toBeUndefined();
  });

  it('survives the silent sign-in that replaces a lost refresh token', async () => {
    app.sandbox.setAccessTokenTtl(60);
    const browser = await chosen();
    moveTime(55_000);
    app.sandbox.expire('refresh_tokens');
    app.sandbox.setAccessTokenTtl(43_200);
    const page = await browser.get('/profile');
    expect(page.path.some(({ pathname }) => pathname === '/oauth/v2/authorize')).toBe(true);
    expect([page.status, await activeOf(browser)]).toEqual([200, beta.id]);
  });

  it('is not taken over by somebody else who answers that sign-in', async () => {
    app.sandbox.setAccessTokenTtl(60);
    const browser = await chosen();
    moveTime(55_000);
    app.sandbox.expire('refresh_tokens');
    app.sandbox.setAccessTokenTtl(43_200);
    browser.forget(/zitadel/);
    const people = await browser.get('/profile');
    expect(people.url.origin).toBe(app.sandbox.issuer);
    const page = await chooseUser(browser, people, members.inTwo);
    expect(refusalOf(page)).toEqual(refused('user_mismatch'));
  });

  it('of another tab during a fresh sign-in counts', async () => {
    const browser = await signedIn(members.atHome);
    const profile = await browser.get('/profile');
    moveTime(400_000);
    const login = await browser.get('/danger');
    await choose(browser, profile, beta);
    const page = await chooseUser(browser, login, members.atHome);
    expect([page.url.pathname, await activeOf(browser)]).toEqual(['/danger', beta.id]);
  });

  it('is kept when a second organization grants roles', async () => {
    const browser = await signedIn(members.inOne);
    app.sandbox.grantRole(members.inOne, 'editor', 'Alpha');
    moveTime(300_000);
    await browser.get('/profile');
    expect(await userOf(browser)).toMatchObject({ activeOrganization: shown(beta), roles: ['admin'] });
    expect((await browser.get('/admin')).status).toBe(200);
  });
});

describe('the application without ORGANIZATIONS=active', () => {
  let usual: RunningApp;
  beforeAll(async () => {
    const env = { API_URL: api.origin };
    usual = await startApp({ env, sandbox: sandboxOfOrganizations, controllers: [TenantRoutes] });
  });
  afterAll(() => usual.close());

  it('accepts roles of every organization, and neither session nor pages have an active one', async () => {
    const browser = await signedIn(members.atHome, usual);
    const user = await userOf(browser);
    expect(user).toMatchObject({ roles: ['editor', 'admin'] });
    for (const member of ['organizations', 'activeOrganization', 'allRoles'])
      expect(user).not.toHaveProperty(member);
    const page = await browser.get('/admin');
    expect(page.status).toBe(200);
    expect(page.document.querySelector(HERE)).toBeNull();
    expect((await browser.get('/tenant/any')).status).toBe(200);
    calls = [];
    await browser.get('/profile/api');
    expect(calls).toEqual([undefined]);
  });

  it('has no switch, and answers 500 for a handler with @CurrentOrganization()', async () => {
    const browser = await signedIn(members.atHome, usual);
    const token = csrfFrom(await browser.get('/profile'));
    expect((await browser.post('/auth/organization', { ...token, organization: beta.id })).status).toBe(404);
    expect((await browser.get('/tenant/data')).status).toBe(500);
  });
});

describe('the log in production', () => {
  it.each([
    ['any', {}],
    ['active', { ORGANIZATIONS: 'active' }],
  ])('says at start that ORGANIZATIONS is %s', async (mode, env) => {
    const { program, sandbox } = await startProduction(env);
    await program.stop();
    await sandbox.close();
    expect(program.output()).toContain(`(ORGANIZATIONS=${mode})`);
  });
});
