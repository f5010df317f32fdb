import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { UserSpec } from 'zitadel-sandbox';
import { START_MS, startChromium } from '../support/chromium.js';
import { contextOf } from '../support/context-of.js';
import { awkwardNames, hostileStrings } from '../support/hostile-strings.js';
import { listenForViolations, observedPage, scrollToLive } from '../support/observed-page.js';
import { signIn } from '../support/sign-in.js';
import { startHostileApp } from '../support/start-hostile-app.js';
import type { RunningApp } from '../support/start-app.js';
import { startAppWithApi } from '../support/start-app-with-api.js';

const half = Math.ceil(hostileStrings.length / 2);

/** Two strings in each claim, different for each user: over all users each claim has every string. */
const packed: UserSpec[] = hostileStrings.slice(0, half).map((_, index) => {
  const strings = (slot: number) => {
    const at = (index + slot * 3) % half;
    return [hostileStrings[at], hostileStrings[at + half]].join(' ');
  };
  return {
    loginName: `user-${index}@evil.example`,
    displayName: strings(0),
    givenName: strings(1),
    familyName: strings(2),
    nickname: strings(3),
    email: strings(4),
    emailVerified: index % 2 === 0,
    locale: strings(5),
    phone: strings(6),
    picture: strings(7),
    organization: strings(8),
    // A role is part of a scope, and scopes are separated by spaces.
    roles: ['admin', strings(9).replace(/\s/g, '/')],
    metadata: Object.fromEntries([[strings(10), strings(11)]]),
  };
});
/** Strings that are harmful only as the whole value of a claim. */
const alone: UserSpec[] = hostileStrings
  .filter((string) => URL.canParse(string) || string === '__proto__')
  .map((string, index) => ({
    loginName: `alone-${index}@evil.example`,
    displayName: string,
    email: string,
    picture: string,
    organization: string,
    roles: ['admin'],
    metadata: Object.fromEntries([[string, string]]),
  }));
const users = [...packed, ...alone];
/** A user whose pages have every element that a page with claims can have. */
const harmless = {
  ...packed[0],
  loginName: 'harmless@acme.example',
  displayName: 'Harmless Person',
  givenName: 'Harmless',
  familyName: 'Person',
  nickname: 'harmless',
  email: 'harmless@acme.example',
  locale: 'en',
  phone: '+41',
  picture: '/static/picture.png',
  organization: 'Acme',
  roles: ['admin', 'editor'],
  metadata: { department: 'research' },
};
const awkward: UserSpec[] = awkwardNames.map((displayName, index) => ({
  loginName: `${['long', 'four-lines'][index]}@acme.example`,
  displayName,
  email: `${displayName.replace(/\s/g, '')}@acme.example`,
  organization: displayName,
  roles: ['admin', displayName.replace(/\s/g, '-')],
  metadata: { [displayName.replace(/\s/g, '-')]: displayName },
}));

let app: RunningApp;
let chromium: Browser;
/** an empty page, whose browser parses documents */
let parser: Page;

beforeAll(async () => {
  [app, chromium] = await Promise.all([
    startAppWithApi({ users: [...users, harmless, ...awkward] }),
    startChromium(),
  ]);
  parser = await chromium.newPage();
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  await app?.close();
});

declare global {
  interface Window {
    /** set by every hostile string that runs as a script */
    pwned?: number;
  }
}

/** The text after the HTML parser has replaced NUL and line ends. */
const parsed = (text: string) => text.replaceAll('\u0000', '').replace(/\r\n?/g, '\n');

/** Collects the requests of a context to other origins. */
function strangersAskedIn(context: BrowserContext): string[] {
  const asked: string[] = [];
  const own = [new URL(app.origin).origin, new URL(app.sandbox.issuer).origin];
  context.on('request', (request) => {
    if (!own.includes(new URL(request.url()).origin)) asked.push(request.url());
  });
  return asked;
}

/** A document after parsing by the browser. */
interface MadeDocument {
  /** all kinds of elements with the names of their attributes */
  elements: string[];
  /** the addresses of links, forms, images, scripts and style sheets */
  addresses: string[];
  main: string;
  heading: string;
  /** the values of the fields of its forms */
  fields: Record<string, string>;
}

/** Parses a document in the browser without running or loading anything in it. */
const parse = (html: string): Promise<MadeDocument> =>
  parser.evaluate((text) => {
    const made = new DOMParser().parseFromString(text, 'text/html');
    const all = [...made.querySelectorAll('*')];
    const leading = ['href', 'src', 'srcset', 'action', 'formaction', 'data', 'poster', 'content'];
    return {
      elements: [...new Set(all.map((e) => [e.localName, ...e.getAttributeNames().sort()].join(' ')))],
      addresses: all
        .flatMap((e) => leading.map((name) => e.getAttribute(name) ?? ''))
        .filter((value) => /^[\s\p{Cc}]*([a-z][a-z\d+.-]*:|[/\\])/iu.test(value)),
      main: made.querySelector('main')?.textContent ?? '',
      heading: made.querySelector('h1')?.textContent ?? '',
      fields: Object.fromEntries(
        [...made.querySelectorAll('input')].map(({ name, defaultValue }) => [name, defaultValue]),
      ),
    };
  }, html);

const isStranger = (address: string) =>
  !URL.canParse(address, app.origin) ||
  ![app.origin, app.sandbox.issuer].includes(new URL(address, app.origin).origin);

const plain = (address: string): [string, undefined] => [address, undefined];

type Look = (page: Page) => Promise<void>;

/** Opens the addresses one after the other, checks each, and returns all problems. */
async function visit(context: BrowserContext, addresses: Record<string, Look | undefined>) {
  const { page, problems } = await observedPage(context);
  const strangers = strangersAskedIn(context);
  const found = new Set<string>();
  for (const [path, look] of Object.entries(addresses)) {
    await page.goto(app.origin + path);
    await look?.(page);
    if (await page.evaluate(() => window.pwned !== undefined)) found.add(`${path}: window.pwned`);
    for (const problem of [...(await problems()), ...strangers]) found.add(`${path}: ${problem}`);
  }
  await page.close();
  return [...found];
}

/** The text of an element. */
const textOf = (page: Page, selector: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((e) => e.textContent);

const pagesWithClaims = ['/', '/profile', '/profile/live', '/profile/api', '/admin', '/failures/403'];

/** Opens every page that shows claims, signed in as this user. */
async function visitAs({ loginName, ...user }: UserSpec) {
  const context = await contextOf(app, chromium, loginName);
  const { displayName = '', email = '', organization = '', roles = [], metadata = {} } = user;
  const problems = await visit(context, {
    '/': async (page) => expect(await textOf(page, 'main')).toContain(parsed(displayName)),
    '/profile': async (page) => {
      await scrollToLive(page);
      expect(await textOf(page, 'h1')).toBe(parsed(displayName));
      const main = await textOf(page, 'main');
      for (const value of [email, organization, ...roles, ...Object.entries(metadata).flat()])
        expect(main).toContain(parsed(value));
      expect(await page.locator('main :is(script, style, iframe, object, base, meta)').count()).toBe(0);
    },
    '/profile/live': undefined,
    '/profile/api': undefined,
    '/admin': async (page) =>
      expect(await page.locator('main li').allTextContents()).toEqual(roles.map(parsed)),
    '/failures/403': undefined,
    '/auth/session': undefined,
    '/auth/userinfo': undefined,
  });
  await context.close();
  return problems.map((problem) => `${loginName} ${problem}`);
}

describe('hostile claims', () => {
  const allowed = new Map<string, MadeDocument>();
  beforeAll(async () => {
    const browser = app.browser();
    await signIn(browser, harmless.loginName);
    for (const path of pagesWithClaims) allowed.set(path, await parse((await browser.get(path)).text));
  });

  it.each(users)('are shown as text on every page: $loginName', async ({ loginName, ...user }) => {
    const { displayName = '', email = '', organization = '', roles = [], metadata = {} } = user;
    const browser = app.browser();
    await signIn(browser, loginName);
    for (const path of pagesWithClaims) {
      const { elements, addresses, main, heading } = await parse((await browser.get(path)).text);
      expect({ path, added: elements.filter((e) => !allowed.get(path)?.elements.includes(e)) }).toEqual({
        path,
        added: [],
      });
      expect({ path, strangers: addresses.filter(isStranger) }).toEqual({ path, strangers: [] });
      if (path === '/') expect(main).toContain(parsed(displayName));
      if (path === '/profile') {
        expect(heading).toBe(parsed(displayName));
        for (const value of [email, organization, ...roles, ...Object.entries(metadata).flat()])
          expect(main).toContain(parsed(value));
      }
      if (path === '/admin') for (const role of roles) expect(main).toContain(parsed(role));
    }
    for (const path of ['/auth/session', '/auth/userinfo']) {
      const { headers, text } = await browser.get(path);
      expect([headers['content-type'], headers['x-content-type-options']]).toEqual([
        expect.stringMatching(/^application\/json/),
        'nosniff',
      ]);
      expect(JSON.stringify(JSON.parse(text))).toContain(JSON.stringify(displayName).slice(1, -1));
    }
  });

  // Three of the packed users have every string in some claim; those of `alone` are URLs.
  it.each([...packed.slice(0, 3), ...alone.slice(0, 2)])(
    'run no script and load no address in a browser: $loginName',
    async (user) => {
      expect(await visitAs(user)).toEqual([]);
    },
  );
});

describe('hostile query parameters', () => {
  const addressesWith = (string: string) => {
    const value = encodeURIComponent(string);
    return [
      `/auth/error?reason=${value}&ref=${value}`,
      `/auth/logout/error?reason=${value}`,
      `/auth/login?reason=${value}&callbackUrl=${value}&login_hint=${value}`,
      `/${value}?x=${value}`,
    ];
  };

  it('add no element, attribute or address to a page', async () => {
    const browser = app.browser();
    const madeOf = async (address: string) => parse((await browser.get(address)).text);
    const allowed = await Promise.all(addressesWith('harmless').map(madeOf));
    for (const string of hostileStrings) {
      for (const [index, address] of addressesWith(string).entries()) {
        const { elements, addresses, fields } = await madeOf(address);
        expect({ address, added: elements.filter((e) => !allowed[index]?.elements.includes(e)) }).toEqual({
          address,
          added: [],
        });
        expect({ address, strangers: addresses.filter(isStranger) }).toEqual({ address, strangers: [] });
        if (!address.startsWith('/auth/login')) continue;
        expect(fields['login_hint']).toBe(string.replaceAll('\u0000', '\ufffd'));
        expect(isStranger(fields['callbackUrl'] ?? '')).toBe(false);
      }
    }
  });

  it('run no script and load no address in a browser', async () => {
    const context = await contextOf(app, chromium);
    const addresses = hostileStrings.flatMap((string, index): [string, Look | undefined][] => {
      const login: Look = async (page) => {
        const valueOf = (name: string) => page.locator(`input[name="${name}"]`).inputValue();
        expect(await valueOf('login_hint')).toBe(string.replaceAll('\u0000', '\ufffd'));
        expect(new URL(await valueOf('callbackUrl'), app.origin).origin).toBe(app.origin);
        expect(await page.locator('form').count()).toBe(1);
      };
      const [error = '', logout = '', form = '', unknown = ''] = addressesWith(string);
      // The values are in attributes of the form; the other pages show none of them.
      if (index % 4 !== 0) return [];
      return [[form, login], ...[error, logout, unknown].map(plain)];
    });
    expect(await visit(context, Object.fromEntries(addresses))).toEqual([]);
    await context.close();
  }, 90_000);
});

describe('long names', () => {
  it.each(awkward)(
    'do not cause horizontal scrolling at 360 pixels: $loginName',
    async ({ loginName, displayName = '' }) => {
      const context = await contextOf(app, chromium, loginName, { viewport: { width: 360, height: 740 } });
      for (const path of ['/', '/profile', '/profile/live', '/profile/api', '/admin', '/failures/403']) {
        const { page, problems } = await observedPage(context);
        await page.goto(app.origin + path);
        if (path === '/profile') {
          await scrollToLive(page);
          expect(await textOf(page, 'h1')).toBe(displayName);
        }
        const overflow = await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        );
        expect({ path, overflow, problems: await problems() }).toEqual({ path, overflow: 0, problems: [] });
        await page.close();
      }
      await context.close();
    },
  );
});

describe('hostile claims of a malicious provider', () => {
  /** Names and values that the sandbox does not send, of claims, organizations and domains. */
  const userinfo = (strings: readonly string[]) => ({
    ...Object.fromEntries(strings.map((string, index) => [`${string}${index}`, { [string]: [string] }])),
    ...Object.fromEntries(strings.map((string) => [`urn:zitadel:iam:org:project:${string}:roles`, {}])),
    preferred_username: strings[0],
    gender: strings[1],
    locale: strings[2],
    picture: strings[3],
    'urn:zitadel:iam:org:project:roles': Object.fromEntries(
      strings.map((string) => [string, { [string]: string }]),
    ),
    'urn:zitadel:iam:user:resourceowner:id': strings[4],
    'urn:zitadel:iam:user:resourceowner:name': strings[5],
    'urn:zitadel:iam:user:resourceowner:primary_domain': strings[6],
  });

  it('are shown as text, both names and values', async () => {
    const hostile = await startHostileApp();
    try {
      for (let first = 0; first < hostileStrings.length; first += 7) {
        const strings = hostileStrings.slice(first, first + 7).filter((string) => string.length < 200);
        const browser = hostile.browser();
        await hostile.signIn(browser, { userinfo: userinfo(strings) });
        const context = await chromium.newContext();
        await listenForViolations(context);
        const cookies = await browser.cookies();
        await context.addCookies(
          cookies.map(({ key, value }) => ({ name: key, value, url: hostile.origin })),
        );
        const { page, problems } = await observedPage(context);
        for (const path of ['/', '/profile', '/profile/live', '/admin']) {
          await page.goto(hostile.origin + path);
          expect(await page.evaluate(() => window.pwned)).toBeUndefined();
          expect(await page.locator('main :is(script, style, iframe, object, base, meta)').count()).toBe(0);
        }
        await page.goto(`${hostile.origin}/profile/live`);
        const said = await textOf(page, 'main');
        for (const string of strings) expect(said).toContain(parsed(string));
        expect(await problems()).toEqual([]);
        await context.close();
      }
    } finally {
      await hostile.close();
    }
  }, 90_000);
});
