import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultUsers, readUsers, startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser, csrfFrom, program as asProgram, type Page } from './support/browser.js';
import { freePort } from './support/free-port.js';
import { copyRepository } from './support/copied-repository.js';
import { apply, stepsIn } from './support/recipes.js';
import { refusalOf, refused } from './support/refusal.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { serviceUserTokens } from './support/service-user-tokens.js';
import { choose, signIn } from './support/sign-in.js';
import { environment, redirectUrisOf } from './support/start-app.js';
import { textOf } from './support/text-of.js';

const alice = 'alice@acme.example';
const bob = 'bob@acme.example';
const carol = 'carol@globex.example';
/** of the recipe for a page with a fresh proof: a second factor, and roles in two organizations */
const nora = 'nora@acme.example';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'recipes-')));
let origin: string;
let sandbox: Sandbox;
let partner: Sandbox;
let program: RunningProgram;
let env: Record<string, string>;

function run(command: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  expect([status, stdout, stderr]).toEqual([0, '', '']);
}

beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  copyRepository(folder);
  const recipes = stepsIn(readFileSync('docs/recipes.md', 'utf8'));
  const people = recipes.find((step) => 'path' in step && step.path === 'people.json');
  sandbox = await startSandbox({
    web: redirectUrisOf(origin),
    users: [...defaultUsers, ...readUsers(JSON.parse(people?.text ?? ''))],
  });
  partner = await startSandbox({
    web: redirectUrisOf(origin, { callbackPath: '/auth/callback/partner' }),
  });
  sandbox.grantRole(bob, 'auditor');
  sandbox.grantRole(alice, 'editor', 'Globex');
  for (const step of recipes) {
    const text = step.text
      .replaceAll('https://id.partner.example', partner.issuer)
      .replaceAll('client-id-at-the-partner', partner.clients.web.clientId);
    apply({ ...step, text }, folder);
  }
  run('node_modules/.bin/tsc', '-b');
  run(process.execPath, 'scripts/docs.mjs');
  env = {
    ...environment(origin, sandbox),
    SUPPORT_EMAIL: 'help@acme.example',
    ORGANIZATIONS: 'active',
    ZITADEL_API_KEY_FILE: JSON.stringify(sandbox.clients.api.key),
    IDP_PROJECT_ID: sandbox.projectId,
  };
  program = runProgram(process.execPath, [join(folder, 'build/main.js')], { ...env, LOG_LEVEL: 'info' });
  await program.says('Ready at');
}, 240_000);

afterAll(async () => {
  await program?.stop();
  await sandbox.close();
  await partner.close();
  rmSync(folder, { recursive: true });
});

const browser = () => new Browser(origin);

describe('the recipe for a page', () => {
  it('adds a page that requires a session and is in the menu', async () => {
    const page = await signIn(browser(), alice, '/reports');
    expect([page.url.pathname, page.status]).toEqual(['/reports', 200]);
    expect(page.document.querySelector('h1')?.text).toBe('Reports');
    expect(textOf(page)).toContain('Reports of Acme.');
    expect(page.document.querySelector('nav a[aria-current="page"]')?.text).toBe('Reports');
  });

  it('adds the texts of the page in the languages of the application', async () => {
    const visitor = browser();
    await signIn(visitor, alice);
    const page = await visitor.get('/reports', { 'accept-language': 'de' });
    expect(textOf(page)).toContain('Berichte von Acme.');
  });
});

describe('the recipe for a role', () => {
  it('opens a page and its menu entry to users with the role', async () => {
    const page = await signIn(browser(), bob, '/admin');
    expect([page.url.pathname, page.status]).toEqual(['/admin', 200]);
    expect(page.document.querySelector('nav a[href="/admin"]')).not.toBeNull();
  });

  it('leads to 403 for users without the role', async () => {
    expect((await signIn(browser(), carol, '/admin')).status).toBe(403);
  });
});

const switchTo = (visitor: Browser, page: Page, organization: string) =>
  visitor.submit(page, 'form[action="/auth/organization"]', { fields: { organization } });

describe('the recipe for a page whose data belong to an organization', () => {
  it('shows and changes the data of the active organization alone', async () => {
    const visitor = browser();
    const acme = await signIn(visitor, alice, '/invoices');
    expect(textOf(acme)).toContain('Invoices of acme.example.');
    const added = await visitor.submit(acme, 'main form', { fields: { title: 'Invoice of Acme' } });
    expect([added.url.pathname, added.status]).toEqual(['/invoices', 200]);
    expect(textOf(added)).toContain('Invoice of Acme');
    const globex = await switchTo(visitor, added, '320000000000000002');
    expect(textOf(globex)).toContain('Invoices of globex.example.');
    expect(textOf(globex)).not.toContain('Invoice of Acme');
  });

  it('refuses a form that was made for another organization', async () => {
    const visitor = browser();
    const acme = await signIn(visitor, alice, '/invoices');
    await switchTo(visitor, acme, '320000000000000002');
    const late = await visitor.submit(acme, 'main form', { fields: { title: 'Too late' } });
    expect(late.status).toBe(409);
    expect(textOf(await visitor.get('/invoices'))).not.toContain('Too late');
  });

  it('refuses people without a role in the organization', async () => {
    expect((await signIn(browser(), bob, '/invoices')).status).toBe(403);
  });
});

describe('the recipe for a page with a fresh proof', () => {
  it('opens the page to people who sign in with several factors', async () => {
    const page = await signIn(browser(), nora, '/tenant');
    expect([page.url.pathname, page.document.querySelector('h1')?.text]).toEqual(['/tenant', 'acme.example']);
  });

  it('shows the page of the organization that the user has switched to, also after the proof', async () => {
    const visitor = browser();
    const home = await signIn(visitor, nora, '/tenant');
    const page = await switchTo(visitor, home, '320000000000000002');
    expect(page.document.querySelector('h1')?.text).toBe('globex.example');
    const people = await visitor.get('/auth/fresh-sign-in?callbackUrl=/tenant');
    const proved = await choose(visitor, people, nora);
    expect([proved.url.pathname, proved.document.querySelector('h1')?.text]).toEqual([
      '/tenant',
      'globex.example',
    ]);
  });

  it('is refused without a role in the organization, before any proof', async () => {
    expect((await signIn(browser(), bob, '/tenant')).status).toBe(403);
  });

  it('asks others to sign in once more, and names the missing factor', async () => {
    const visitor = browser();
    const login = await signIn(visitor, alice, '/tenant');
    expect(login.url.origin).toBe(sandbox.issuer);
    const page = await choose(visitor, login, alice);
    expect(refusalOf(page)).toEqual(refused('factor_missing'));
    expect((await visitor.get('/reports')).status).toBe(200);
  });
});

describe('the recipe for a route for browsers and programs', () => {
  const NOTES = '/api/v1/notes';

  it('answers a browser with the CSRF token', async () => {
    const visitor = browser();
    const { csrfToken } = csrfFrom(await signIn(visitor, alice, '/profile'));
    expect((await visitor.post(NOTES, { text: 'Without' })).status).toBe(403);
    const added = await visitor.post(NOTES, { text: 'By form', csrfToken });
    expect([added.status, added.body]).toEqual([201, ['By form']]);
    expect(JSON.parse((await visitor.get(NOTES)).text)).toEqual(['By form']);
  });

  it('answers a program with its token, by its roles', async () => {
    const scope = `openid urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;
    const call = async (body?: object) => {
      const { access_token: token } = await serviceUserTokens(sandbox, scope);
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const sent = body ? { method: 'POST', body: JSON.stringify(body) } : {};
      return fetch(origin + NOTES, { headers, ...sent });
    };
    expect((await call()).status).toBe(403);
    sandbox.grantRole('robot@acme.example', 'editor');
    const answer = await call();
    expect([answer.status, await answer.json()]).toEqual([200, []]);
    expect((await call({ other: 'By JSON' })).status).toBe(400);
    const added = await call({ text: 'By JSON' });
    expect([added.status, await added.json()]).toEqual([201, ['By JSON']]);
  });

  it('is in the OpenAPI document', async () => {
    const document = (await (await fetch(`${origin}/api-json`)).json()) as { paths: object };
    expect(Object.keys(document.paths)).toEqual(['/api/v1/me', NOTES]);
  });
});

describe('the recipe for a refusal that says why', () => {
  it('adds a code, and what was needed and what was there to the answer', async () => {
    const visitor = browser();
    await signIn(visitor, alice);
    const answer = await visitor.request('GET', new URL('/books/2019', origin), undefined, asProgram);
    expect([answer.status, answer.body]).toEqual([
      403,
      {
        statusCode: 403,
        code: 'BOOKS_CLOSED',
        message: 'The books of this year are closed',
        reference: expect.stringMatching(/^[0-9a-f]{12}$/) as unknown,
        explanation: {
          needed: { year: '2025 or later' },
          held: { year: 2019, roles: ['admin', 'editor'] },
          help: 'An administrator opens the books of the year.',
        },
      },
    ]);
    expect((await visitor.get('/books/2026')).status).toBe(200);
  });
});

describe('the recipe for an invitation that ends in the application', () => {
  const patFile = join(folder, 'admin.pat');
  const password = 'Password1!';
  let zitadel: Sandbox;
  let application: RunningProgram;
  let invitedTo: Record<string, string>;
  beforeAll(async () => {
    const port = await freePort();
    const ownOrigin = `http://localhost:${port}`;
    zitadel = await startSandbox({ web: { ...redirectUrisOf(ownOrigin), loginVersion: 1 }, patFile });
    invitedTo = environment(ownOrigin, zitadel);
    application = runProgram(process.execPath, [join(folder, 'build/main.js')], {
      ...invitedTo,
      LOG_LEVEL: 'info',
    });
    await application.says('Ready at');
  });
  afterAll(async () => {
    await application.stop();
    await zitadel.close();
  });

  /** Not synchronously: the sandbox runs in this process. */
  async function invite(...names: string[]) {
    const script = [join(folder, 'scripts/invite.mjs'), patFile, ...names];
    const invitation = runProgram(process.execPath, script, invitedTo);
    return { status: await invitation.exit, output: invitation.output() };
  }

  it('prints a link and a code, with which the person sets a password and is signed in', async () => {
    const acme = zitadel.users.find(({ loginName }) => loginName === alice)?.home.id ?? '';
    const { output } = await invite(acme, 'ira@acme.example', 'ira@example.com', 'Ira', 'Tester');
    const [, code = '', link = ''] = /^Code: (\w{6})\nLink: (\S+)$/m.exec(output) ?? [];
    const visitor = browser();
    const page = await visitor.get(link);
    const fields = { code, password, passwordconfirm: password };
    const next = await visitor.submit(page, 'form[action$="/user/invite"]', { fields });
    const profile = await visitor.submit(next, 'form[action$="/ui/login/password"]', {
      fields: { password },
    });
    expect([profile.url.pathname, profile.document.querySelector('h1')?.text]).toEqual([
      '/profile',
      'Ira Tester',
    ]);
  });

  it('says what Zitadel answered for a login name that somebody has', async () => {
    const acme = zitadel.users.find(({ loginName }) => loginName === alice)?.home.id ?? '';
    const { status, output } = await invite(acme, alice, 'alice@example.com', 'Alice', 'Two');
    expect([status, output.includes('Link')]).toEqual([1, false]);
    expect(output).toMatch(/Zitadel answered 409: User already exists/);
  });
});

describe('the recipe for a claim', () => {
  it('adds the claim to the session', async () => {
    const visitor = browser();
    await signIn(visitor, alice);
    const { locale } = sandbox.users.find(({ loginName }) => loginName === alice) ?? {};
    expect(locale).toMatch(/^[a-z]{2}$/);
    const session: unknown = JSON.parse((await visitor.get('/auth/session')).text);
    expect(session).toMatchObject({ user: { locale } });
  });
});

describe('the recipe for an environment variable', () => {
  it('makes the variable effective', async () => {
    const page = await browser().get('/');
    expect(page.document.querySelector('a[href="mailto:help@acme.example"]')).not.toBeNull();
  });

  it('makes the program exit with 1 for an invalid value', async () => {
    const other = runProgram(process.execPath, [join(folder, 'build/main.js')], {
      ...env,
      SUPPORT_EMAIL: 'nonsense',
    });
    expect(await other.exit).toBe(1);
    expect(other.output()).toContain('SUPPORT_EMAIL');
    expect(other.output()).toContain('an e-mail address, or nothing');
  });

  it('adds the variable to .env.example and docs/configuration.md', () => {
    for (const file of ['.env.example', 'docs/configuration.md'])
      expect(readFileSync(join(folder, file), 'utf8')).toContain('SUPPORT_EMAIL');
  });
});

describe('the recipe for a language', () => {
  it('adds the language to the pages and to ui_locales of the authorization request', async () => {
    const visitor = browser();
    const page = await visitor.get('/auth/login', { 'accept-language': 'it' });
    expect(page.document.querySelector('html')?.getAttribute('lang')).toBe('it');
    expect(page.document.querySelector('nav')?.text).toContain('Accedi');
    const started = await visitor.request(
      'POST',
      new URL('/auth/signin/zitadel', origin),
      new URLSearchParams(csrfFrom(page)),
      { 'accept-language': 'it', origin },
    );
    expect(new URL(started.headers['location'] ?? '').searchParams.get('ui_locales')).toBe('it');
  });
});

describe('the recipe for a second provider', () => {
  const signInAtPartner = async (visitor: Browser, from: string) => {
    const people = await visitor.submit(await visitor.get(from), 'form[action$="/auth/signin/partner"]');
    expect(people.url.origin).toBe(partner.issuer);
    return choose(visitor, people, alice);
  };

  it('signs users in with a name, no roles and an id with the prefix of the provider', async () => {
    const visitor = browser();
    const page = await signInAtPartner(visitor, '/profile');
    expect([page.url.href, page.status]).toEqual([`${origin}/profile`, 200]);
    expect(textOf(page)).toContain('Alice Archer');
    const session: unknown = JSON.parse((await visitor.get('/auth/session')).text);
    const { id } = partner.users.find(({ loginName }) => loginName === alice) ?? {};
    expect(session).toMatchObject({ user: { id: `partner:${id}`, roles: [] } });
    expect((await visitor.get('/admin')).status).toBe(403);
  });

  it('excludes their sessions from userinfo of Zitadel: 404, and the session stays', async () => {
    const visitor = browser();
    await signInAtPartner(visitor, '/profile');
    expect((await visitor.get('/auth/userinfo')).status).toBe(404);
    expect((await visitor.get('/profile/live')).status).toBe(404);
    expect((await visitor.get('/profile')).url.pathname).toBe('/profile');
  });

  it('signs users out here', async () => {
    const visitor = browser();
    const profile = await signInAtPartner(visitor, '/profile');
    const goodbye = await visitor.submit(profile, 'form[action="/auth/logout"]');
    expect(goodbye.url.search).toBe('?ended=here');
    expect((await visitor.get('/profile')).url.pathname).toBe('/auth/login');
  });

  it('keeps the redirect URI of Zitadel without a provider id', async () => {
    const page = await signIn(browser(), alice, '/profile');
    expect(page.path.map(({ pathname }) => pathname)).toContain('/auth/callback');
    expect(page.url.href).toBe(`${origin}/profile`);
  });
});
