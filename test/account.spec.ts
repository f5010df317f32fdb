import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from './support/browser.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';
import { textOf } from './support/text-of.js';

const languages = [
  ['en', 'Create an account', 'Password and factors'],
  ['de', 'Konto erstellen', 'Passwort und Faktoren'],
  ['fr', 'Créer un compte', 'Mot de passe et facteurs'],
] as const;

const LOGIN_FORM = 'form[action$="/auth/signin/zitadel"]';
const password = 'Password1!';

const linksOf = ({ document }: Page) =>
  document.querySelectorAll('main a').map((link) => [link.text.trim(), link.getAttribute('href')]);
const buttonsOf = ({ document }: Page) =>
  document.querySelectorAll(`${LOGIN_FORM} button`).map((button) => button.text.trim());
const codeOn = (page: Page) => /the code is (\d{6})/.exec(textOf(page))?.[1] ?? '';

/** What a click on a link of `/auth/start` asks Zitadel for. */
async function promptAsked(app: RunningApp, query: string) {
  const answer = await app.browser().request('GET', new URL(`/auth/start?${query}`, app.origin), undefined, {
    accept: 'text/html',
    'sec-fetch-site': 'same-origin',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-user': '?1',
    'sec-fetch-dest': 'document',
  });
  expect(answer.status).toBe(303);
  const { searchParams } = new URL(answer.headers['location'] ?? '');
  const hasScope = searchParams.get('scope')?.split(' ').includes('address');
  return [searchParams.get('prompt'), searchParams.get('login_hint'), hasScope];
}

describe.each([1, 2] as const)('with ZITADEL_REGISTRATION=true and Login V%i', (loginVersion) => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp({
      env: { ZITADEL_REGISTRATION: 'true' },
      sandbox: { web: { loginVersion } },
    });
  });
  afterAll(() => app.close());

  /** Fills in the pages of the sandbox. Returns the page of the application after them. */
  async function register(browser: Browser, first: Page, email: string): Promise<Page> {
    const names = { firstname: 'Nora', lastname: 'New', email };
    if (loginVersion === 2) {
      const second = await browser.submit(first, 'form[action$="/register"]', { fields: names });
      const fields = { password, confirmPassword: password };
      const third = await browser.submit(second, 'form[action$="/register/password"]', { fields });
      return browser.submit(third, 'form[action$="/verify"]', { fields: { code: codeOn(third) } });
    }
    const passwords = { 'register-password': password, 'register-password-confirmation': password };
    const sent = { fields: { ...names, ...passwords } };
    const second = await browser.submit(first, 'form[action$="/register"]', sent);
    const done = await browser.submit(second, 'form[action$="/user/init"]', {
      fields: { code: codeOn(second) },
    });
    return browser.submit(done, 'form[action="/ui/login/login"]:not(.people)');
  }

  it.each(languages)(
    'the start page and the login page lead to the registration: %s',
    async (language, name, _factors) => {
      const browser = app.browser();
      const headers = { 'accept-language': language };
      const home = await browser.get('/', headers);
      expect(linksOf(home)).toContainEqual([name, '/auth/login?prompt=create']);
      const login = await browser.get('/auth/login', headers);
      expect(buttonsOf(login)).toContain(name);
      const page = await browser.submit(login, LOGIN_FORM, { button: name });
      expect([page.url.origin, page.document.querySelector('h1')?.text]).toEqual([
        app.sandbox.issuer,
        loginVersion === 1 ? 'Registration' : 'Register',
      ]);
    },
  );

  it('a registration for an organization makes a member of it, who is signed in', async () => {
    const browser = app.browser();
    const [globex] = app.sandbox.users.flatMap(({ organization, home }) =>
      organization === 'Globex' ? [home.id] : [],
    );
    const login = await browser.get(`/auth/login?prompt=create&organization=${globex}`);
    const page = await register(browser, await browser.submit(login, LOGIN_FORM), 'gina@example.com');
    expect([page.status, page.url.pathname]).toEqual([200, '/profile']);
    const { text } = await browser.get('/auth/session');
    expect(JSON.parse(text)).toMatchObject({
      user: { email: 'gina@example.com', organization: { id: globex, name: 'Globex' } },
    });
  });

  it('a link of /auth/start leads to the registration', async () => {
    expect(await promptAsked(app, 'prompt=create')).toEqual(['create', null, false]);
  });

  it('a new person comes back to the page that was asked for, and is signed in', async () => {
    const browser = app.browser();
    const login = await browser.get('/auth/login?prompt=create&callbackUrl=%2Fprofile%2Flive');
    expect(login.document.querySelector('h1')?.text).toBe('Create an account');
    const page = await register(browser, await browser.submit(login, LOGIN_FORM), 'nora@example.com');
    expect([page.status, page.url.pathname]).toEqual([200, '/profile/live']);
    expect(textOf(page)).toContain('Nora New');
    expect(textOf(page)).toContain('en-u-rg-uszzzz');
  });
});

describe('without ZITADEL_REGISTRATION', () => {
  let app: RunningApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.close());

  it('no page offers to register, and prompt=create counts as no prompt', async () => {
    const browser = app.browser();
    const pages = [await browser.get('/'), await browser.get('/auth/login?prompt=create')];
    for (const page of pages) expect(textOf(page)).not.toContain('Create an account');
    const [, login] = pages;
    if (!login) throw new Error('There is no login page');
    expect(login.document.querySelector('h1')?.text).toBe('Log in');
    const people = await browser.submit(login, LOGIN_FORM);
    expect(people.path.map(({ searchParams }) => searchParams.get('prompt'))).not.toContain('create');
  });

  it('a link of /auth/start passes on what the login page passes on', async () => {
    const prompts = await Promise.all(
      ['create', 'login'].map((prompt) => promptAsked(app, `prompt=${prompt}&scope=address&login_hint=nora`)),
    );
    expect(prompts).toEqual([
      [null, 'nora', false],
      ['login', 'nora', false],
    ]);
  });
});

it('The page about a missing factor names the factor, also one that it has no words for', async () => {
  const app = await startApp();
  const textAbout = async (detail: string) =>
    (await app.browser().get(`/auth/error?reason=factor_missing${detail}`)).document.querySelector(
      'main h1 + p',
    )?.text;
  expect(await textAbout('&detail=otp')).toContain('with this: one-time code.');
  expect(await textAbout('&detail=hwk')).toContain('with this: hwk.');
  for (const detail of ['', '&detail=%3Cb%3E', '&detail=otp&detail=mfa'])
    expect(await textAbout(detail)).toContain('with this: several factors.');
  await app.close();
});

describe('the link to the account page', () => {
  const profileWith = async (env: Record<string, string>, language = 'en') => {
    const app = await startApp({ env });
    try {
      const browser = app.browser();
      await signIn(browser, 'alice@acme.example');
      const pages = [
        await browser.get('/profile', { 'accept-language': language }),
        await browser.get('/auth/error?reason=factor_missing&detail=mfa', { 'accept-language': language }),
      ];
      return { links: pages.map(linksOf), issuer: app.sandbox.issuer };
    } finally {
      await app.close();
    }
  };

  it.each(languages)('leads to the console of Zitadel by default: %s', async (language, _create, name) => {
    const { links, issuer } = await profileWith({}, language);
    for (const found of links)
      expect(found).toContainEqual([name, `${issuer}/ui/console/users/me?id=security`]);
  });

  it('leads to ZITADEL_ACCOUNT_URL, and does not exist where that is none', async () => {
    const own = 'https://account.example.com/me?a=1&b=2';
    for (const found of (await profileWith({ ZITADEL_ACCOUNT_URL: own })).links)
      expect(found).toContainEqual(['Password and factors', own]);
    for (const found of (await profileWith({ ZITADEL_ACCOUNT_URL: 'none' })).links)
      expect(found.map(([text]) => text)).not.toContain('Password and factors');
  });
});
