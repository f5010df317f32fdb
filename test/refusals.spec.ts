import { RolesRequired } from '@mridang/nestjs-auth';
import { CurrentOrganization, RequireFactors } from '@mridang/nestjs-zitadel';
import {
  Controller,
  ForbiddenException,
  Get,
  Param,
  Req,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { csrfFrom, program, type Browser } from './support/browser.js';
import { alpha, members, sandboxOfOrganizations } from './support/organizations.js';
import { choose, signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';

const Nobody = class {
  canActivate() {
    return false;
  }
};

@Controller('refused')
class RefusedRoutes {
  @Get('guard')
  @UseGuards(Nobody)
  guard() {
    return {};
  }

  @Get('of/:id')
  @UseGuards(Nobody)
  one() {
    return {};
  }

  @Get('organization')
  organization(@CurrentOrganization() organization: unknown) {
    return organization;
  }

  @Get('factors')
  @RequireFactors('mfa')
  factors() {
    return {};
  }

  @Get('own/:status')
  own(@Param('status') status: string) {
    const options = { cause: new Error('the ledger says so\nand more') };
    throw status === '401'
      ? new UnauthorizedException('the account is closed', options)
      : new ForbiddenException('the account is closed', options);
  }

  @Get('odd/:name')
  odd(@Param('name') name: string) {
    throw Object.assign(new ForbiddenException('odd'), oddMembers[name]);
  }

  @Get('unreadable')
  unreadable(@Req() request: { session: unknown }) {
    request.session = { user: null };
    throw new RolesRequired(['admin']);
  }
}

const aJwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c';

/** What a program's own error may have as its members. */
const oddMembers: Record<string, object> = {
  null: { needed: null, held: null },
  text: { needed: 'a text', held: 5, help: { of: 'no text' } },
  members: {
    needed: { a: null, b: { c: { d: 1 } }, e: [1, null, { f: 2 }] },
    held: { g: 10n, h: Symbol('s') },
  },
  bare: { held: { bare: Object.create(null) as object, name: new Date(Number.NaN) } },
  long: {
    code: `ODD\n${aJwt}${'x'.repeat(5_000)}`,
    name: `Odd\n${'x'.repeat(5_000)}`,
    reference: `r\n${'x'.repeat(5_000)}`,
    message: `${aJwt}\n${'y'.repeat(5_000)}`,
    help: `Send ${aJwt}\n${'z'.repeat(5_000)}`,
  },
};

/** A role with the name of an attack, and a grant by an organization with one. */
const hostile = '<img src=x onerror=alert(1)>';
const stranger = 'mallory@evil.example';
const evil = { name: hostile, id: '300000000010000109', primaryDomain: 'evil.example' };

const log: string[] = [];

const sandbox = {
  ...sandboxOfOrganizations,
  organizations: [...(sandboxOfOrganizations.organizations ?? []), evil],
  users: [
    ...(sandboxOfOrganizations.users ?? []),
    { loginName: stranger, organization: evil.name, roles: [hostile] },
  ],
};

const start = (NODE_ENV: string) =>
  startApp({ env: { NODE_ENV, ORGANIZATIONS: 'active' }, sandbox, log, controllers: [RefusedRoutes] });

const REFERENCE = /^[0-9a-f]{12}$/;
const aReference = expect.stringMatching(REFERENCE) as unknown;

type Body = Record<string, unknown> & { reference?: string; explanation?: Explained };
interface Explained {
  needed: Record<string, unknown>;
  held: Record<string, unknown>;
  help: string;
}

describe.each(['development', 'production'])('in %s', (environment) => {
  const isExplained = environment === 'development';
  let app: RunningApp;
  beforeAll(async () => {
    app = await start(environment);
  });
  afterAll(() => app.close());
  beforeEach(() => void log.splice(0));

  async function signedIn(loginName: string): Promise<Browser> {
    const browser = app.browser();
    await signIn(browser, loginName);
    log.splice(0);
    return browser;
  }

  /** What a program gets, with the cookies of a browser. */
  async function json(
    browser: Browser,
    path: string,
    { method = 'GET', form, headers = {} }: Sent = {},
  ): Promise<Body> {
    const url = new URL(path, app.origin);
    const body = form && new URLSearchParams(form);
    const answer = await browser.request(method, url, body, { ...program, ...headers });
    expect(answer.headers['cache-control']).toMatch(/no-store/);
    return answer.body as Body;
  }

  interface Sent {
    method?: string;
    form?: Record<string, string>;
    headers?: Record<string, string>;
  }

  /** The only line with the reference of an answer. */
  function lineOf({ reference = 'none' }: Body): string {
    const lines = log.filter((line) => line.includes(reference));
    expect(lines).toHaveLength(1);
    return lines[0] ?? '';
  }

  /** Expects an answer with code and reference, and the explanation: in the log always, in the answer in development only. */
  function expectRefused(body: Body, code: string, { needed, held }: Omit<Explained, 'help'>) {
    expect(body).toMatchObject({ code, reference: aReference });
    if (isExplained) expect(body.explanation).toMatchObject({ needed, held });
    else expect(Object.keys(body)).not.toContain('explanation');
    const line = lineOf(body);
    expect(line).toContain(`${code}, reference ${body.reference}`);
    const names = [...Object.keys(needed), ...Object.keys(held)];
    for (const name of names) expect(line).toContain(`${name}: `);
    expect(line.split('\n')[0]).toContain('what helps: ');
  }

  it('a missing role is answered with the roles needed and held, the organizations, and when they were read', async () => {
    const browser = await signedIn(members.atHome);
    expectRefused(await json(browser, '/admin'), 'AUTH_ROLES_REQUIRED', {
      needed: { roles: ['admin'] },
      held: {
        roles: ['editor'],
        grants: ['editor (Alpha)', 'admin (beta.example)'],
        organization: alpha.name,
        readAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    });
  });

  it('the line in the log has the method and the pattern of the route, and no query', async () => {
    const browser = await signedIn(members.atHome);
    const line = lineOf(await json(browser, '/refused/of/canary-1?id=canary-2'));
    expect(line).toContain("method: 'GET'");
    expect(line).toContain("route: '/refused/of/:id'");
    expect(line).not.toContain('canary');
  });

  it('a session cookie that does not open is no missing one', async () => {
    const { key = '' } = (await (await signedIn(members.atHome)).sessionCookie()) ?? {};
    const headers = { cookie: `${key}=tampered` };
    expectRefused(await json(app.browser(), '/profile', { headers }), 'AUTH_SESSION_REQUIRED', {
      needed: { session: true },
      held: { session: 'a cookie that does not open' },
    });
  });

  it('a script is told where the CSRF token comes from', async () => {
    const browser = await signedIn(members.atHome);
    const answer = await json(browser, '/auth/logout', { method: 'POST', form: {} });
    expect(answer['message']).toContain('Send the header X-CSRF-Token with the token of GET /auth/csrf');
  });

  it('a missing role has a page with the same, which is not stored', async () => {
    const browser = await signedIn(members.atHome);
    const page = await browser.get('/admin');
    const text = textOf(page);
    expect([page.status, page.headers['cache-control']]).toEqual([403, 'no-store']);
    expect(text).toMatch(/give the reference [0-9a-f]{12}\. AUTH_ROLES_REQUIRED/);
    const parts = ['one of the roles: admin', 'roles that count: editor', 'admin (beta.example)'];
    for (const part of [...parts, 'What would help']) expect(text.includes(part)).toBe(isExplained);
  });

  it.each([
    [
      'de',
      [
        'eine der Rollen: admin',
        'Rollen, die gelten: editor',
        'Wer Zitadel verwaltet, vergibt die Rolle dort',
      ],
    ],
    ['fr', ['un des rôles : admin', 'rôles qui comptent : editor', 'Un administrateur accorde le rôle']],
  ])('the page of a missing role says so in the language %s', async (language, parts) => {
    const browser = await signedIn(members.atHome);
    const text = textOf(await browser.get('/admin', { 'accept-language': language }));
    for (const part of parts) expect(text.includes(part)).toBe(isExplained);
    expect(text).not.toMatch(/one of the roles|roles that count|An administrator/);
  });

  it('an organization that has to be chosen, or that grants no role, is answered with the organizations', async () => {
    const browser = await signedIn(members.inTwo);
    const held = { organization: 'none', grants: ['admin (alpha.example)', 'editor (beta.example)'] };
    const needed = { organization: true };
    const readAt = expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as unknown;
    expectRefused(await json(browser, '/refused/organization'), 'ORGANIZATION_REQUIRED', {
      needed,
      held: { ...held, readAt },
    });
    const form = { ...csrfFrom(await browser.get('/')), organization: '1' };
    const answer = await json(browser, '/auth/organization', { method: 'POST', form });
    expectRefused(answer, 'ORGANIZATION_WITHOUT_ROLES', {
      needed,
      held: { ...held, organizationAsked: '1', readAt },
    });
    expect(lineOf(answer)).toContain(
      'organization asked for, which is unknown or grants the user no role: 1',
    );
    expectRefused(await json(browser, '/admin'), 'ORGANIZATION_REQUIRED', {
      needed: { ...needed, roles: ['admin'] },
      held: { ...held, readAt },
    });
  });

  it('a form is answered with what its CSRF token is', async () => {
    const browser = await signedIn(members.atHome);
    const send = (form: Record<string, string>, sender = browser, headers = {}) =>
      json(sender, '/auth/logout', { method: 'POST', form, headers });
    const needed = { csrf: 'the token of this browser' };
    expectRefused(await send({}), 'AUTH_CSRF_TOKEN_INVALID', { needed, held: { csrf: 'no token' } });
    const canary = 'canary-canary-canary';
    expectRefused(await send({ csrfToken: canary }), 'AUTH_CSRF_TOKEN_INVALID', {
      needed,
      held: { csrf: 'another token' },
    });
    expect(log.join()).not.toContain(canary);
    expectRefused(await send({}, app.browser()), 'AUTH_CSRF_COOKIE_MISSING', {
      needed,
      held: { csrf: 'no cookie' },
    });
    const origin = 'https://evil.example';
    expectRefused(
      await send({}, browser, { origin, 'sec-fetch-site': 'cross-site' }),
      'AUTH_CROSS_SITE_REQUEST',
      {
        needed: { origin: app.origin },
        held: { origin, site: 'cross-site' },
      },
    );
  });

  it('a sign-in that is too old is answered with its age', async () => {
    const browser = await signedIn(members.atHome);
    expectRefused(await json(browser, '/danger', { method: 'POST' }), 'AUTH_FRESH_SIGN_IN_REQUIRED', {
      needed: { factors: ['mfa'] },
      held: { signInAgeSeconds: expect.any(Number), factors: ['pwd'] },
    });
  });

  it('an error without a code of its own has that of its status', async () => {
    const browser = await signedIn(members.atHome);
    const answer = await json(browser, '/refused/guard');
    expect(answer).toMatchObject({ statusCode: 403, code: 'FORBIDDEN', reference: aReference });
    expect(lineOf(answer)).toContain('warn Refused with 403 FORBIDDEN');
  });

  it.each([
    ['401', 'UNAUTHORIZED', 'UnauthorizedException'],
    ['403', 'FORBIDDEN', 'ForbiddenException'],
  ])('a %s without a code of its own has name, message and cause in its line', async (status, code, name) => {
    const browser = await signedIn(members.atHome);
    const answer = await json(browser, `/refused/own/${status}`);
    expect(answer).toMatchObject({ code, reference: aReference });
    const [line = ''] = lineOf(answer).split(' {');
    expect(line).toContain(
      `${name}: the account is closed caused by Error: the ledger says so\\nand more. what helps: `,
    );
    expect(line).not.toContain('\n');
  });

  it.each(Object.keys(oddMembers))(
    'an error of the program may have members of any type: %s',
    async (name) => {
      const browser = await signedIn(members.atHome);
      const answer = await json(browser, `/refused/odd/${name}`);
      expect(answer).toMatchObject({ statusCode: 403, reference: aReference });
      expect((await browser.get(`/refused/odd/${name}`)).status).toBe(403);
      const [text = ''] = lineOf(answer).split(' {');
      for (const shown of [text, String(answer['code']), JSON.stringify(answer.explanation ?? {})]) {
        expect(shown).not.toContain('eyJ');
        expect(shown).not.toContain('\n');
        expect(shown.length).toBeLessThan(2_500);
      }
      if (name === 'members' && isExplained)
        expect(answer.explanation).toMatchObject({
          needed: { a: 'null', b: '{ c: { d: 1 } }', e: ['1', 'null', '{ f: 2 }'] },
          held: { g: '10n', h: 'Symbol(s)' },
        });
    },
  );

  it('an error whose page cannot be made is answered 500 with a line, and the program goes on', async () => {
    const browser = await signedIn(members.atHome);
    const answer = await json(browser, '/refused/unreadable');
    expect(answer).toEqual({ statusCode: 500, message: 'Internal server error' });
    expect(log.filter((line) => /^error .*could not be answered\nTypeError/.test(line))).toHaveLength(1);
    expect((await browser.get('/')).status).toBe(200);
  });

  it('a request without a session has code and reference, and a line of the level debug', async () => {
    const answer = await json(app.browser(), '/profile');
    expect(answer).toMatchObject({ statusCode: 401, code: 'AUTH_SESSION_REQUIRED', loginUrl: '/auth/login' });
    expect(lineOf(answer)).toMatch(/^debug Refused with 401 AUTH_SESSION_REQUIRED/);
    expect(answer.explanation?.held).toEqual(isExplained ? { session: 'none' } : undefined);
    const page = await app.browser().get('/profile');
    expect([page.url.pathname, log.filter((line) => line.includes('Refused'))]).toEqual([
      '/auth/login',
      [expect.stringContaining('reference')],
    ]);
  });

  it('a failed sign-in has a page with its explanation at its address alone, and one line in the log', async () => {
    const browser = await signedIn(members.atHome);
    const page = await choose(browser, await browser.get('/refused/factors'), members.atHome);
    const { pathname, searchParams } = page.url;
    expect([pathname, searchParams.get('reason')]).toEqual(['/auth/error', 'factor_missing']);
    const reference = searchParams.get('ref') ?? '';
    expect(page.headers['cache-control']).toMatch(/no-store/);
    const parts = ['all of the factors: mfa', 'factors: pwd', 'Set the factor up at Zitadel'];
    const shown = (text: string) => parts.map((part) => text.includes(part));
    expect(textOf(page)).toContain(`${reference}. factor_missing`);
    expect(shown(textOf(page)).slice(0, 2)).toEqual([isExplained, isExplained]);
    expect(lineOf({ reference })).toMatch(
      /needed: \{ factors: \[ 'mfa' \] \},\s+held: \{ factors: \[ 'pwd' \] \}/s,
    );
    const german = await browser.get(pathname + page.url.search, { 'accept-language': 'de' });
    for (const part of ['alle diese Faktoren: mfa', 'Faktoren: pwd', 'Den Faktor bei Zitadel einrichten'])
      expect(textOf(german).includes(part)).toBe(isExplained);
    const other = await browser.get('/auth/error?reason=factor_missing&ref=000000000000');
    expect(shown(textOf(other)).slice(0, 2)).toEqual([false, false]);
  });

  it('no page, answer or line has a token or a cookie, and hostile names are escaped', async () => {
    const browser = await signedIn(stranger);
    const page = await browser.get('/admin');
    expect([page.status, page.text.includes(hostile)]).toEqual([403, false]);
    expect(textOf(page).includes(hostile.slice(1, 20))).toBe(isExplained);
    await json(browser, '/admin', { headers: { origin: `${'x'.repeat(3_000)}` } });
    expect(log.join('\n')).not.toMatch(/eyJ|authjs|V2_/);
    expect(Math.max(...log.map(({ length }) => length))).toBeLessThan(3_000);
  });

  it('the log has ten lines for a code in ten seconds, and the others have the level debug', async () => {
    const answers: Body[] = [];
    for (let count = 0; count < 15; count++)
      answers.push(await json(app.browser(), '/auth/logout', { method: 'POST', form: {} }));
    const lines = answers.map(lineOf);
    const warnings = lines.filter((line) => line.startsWith('warn'));
    expect(warnings.length).toBeLessThanOrEqual(10);
    expect(lines.filter((line) => line.startsWith('debug'))).toHaveLength(15 - warnings.length);
    const browser = await signedIn(members.atHome);
    expect(lineOf(await json(browser, '/admin'))).toMatch(/^warn/);
  });
});

it('the log has the number of refusals without a line when the application stops', async () => {
  const app = await start('test');
  log.length = 0;
  for (let count = 0; count < 15; count++) await app.browser().post('/auth/logout', {});
  await app.close();
  const said = log.filter((line) => line.startsWith('warn') && /\d+ more /.test(line));
  expect(said.join()).toMatch(
    /^warn .*: 5 more until the shutdown, of which only LOG_LEVEL=debug has the lines/,
  );
});
