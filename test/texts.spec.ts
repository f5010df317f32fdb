import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TextNode } from 'node-html-parser';
import { de } from '../src/texts/de.js';
import { describedClaims } from '../src/pages/described-claims.js';
import { en, type TextKey } from '../src/texts/en.js';
import { fr } from '../src/texts/fr.js';
import { errorMessage } from '../src/texts/text.js';
import type { Browser, Page } from './support/browser.js';
import { codes } from './support/codes.js';
import { pages, people, type Person } from './support/pages.js';
import { sessionEnds, signedOuts, signInFailures, signOutFailures } from './support/reasons.js';
import { signIn } from './support/sign-in.js';
import type { RunningApp } from './support/start-app.js';
import { startAppWithApi } from './support/start-app-with-api.js';

const texts: Record<string, Record<TextKey, string>> = { en, de, fr };
const keys = Object.keys(en) as TextKey[];

/** The text of every source file below a folder. */
const sourcesIn = (folder: string, ...without: string[]) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(hbs|ts)$/.test(file) && !without.some((path) => file.startsWith(path)))
    .map((file) => readFileSync(join(folder, file), 'utf8'));

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe.each(['de', 'fr'])('the texts in %s', (language) => {
  const translated = texts[language] ?? {};

  it('have the same keys as the English texts', () => {
    expect(Object.keys(translated).sort()).toEqual([...keys].sort());
  });

  it('have the same placeholders as the English texts', () => {
    const of = (source: Record<string, string>) =>
      Object.fromEntries(keys.map((key) => [key, placeholders(source[key] ?? '')]));
    expect(of(translated)).toEqual(of(en));
  });

  it('are translated if they are sentences', () => {
    const isSentence = (text: string) => text.split(' ').length > 3;
    expect(keys.filter((key) => isSentence(en[key]) && translated[key as never] === en[key])).toEqual([]);
  });
});

it.each(Object.entries(texts))('no text in %s is empty or has surrounding space', (_, source) => {
  expect(Object.entries(source).filter(([, text]) => text === '' || text !== text.trim())).toEqual([]);
});

describe('the keys of the texts', () => {
  const views = sourcesIn('views');

  it('include every key that a view names', () => {
    const named = views.flatMap((view) => [
      ...[...view.matchAll(/[{(]\s*t "([^"]+)"/g)].map(([, key]) => key ?? ''),
      ...[...view.matchAll(/(?:title|text|label)="(\w+\.[\w.]+)"/g)].map(([, key]) => key ?? ''),
    ]);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((key) => !keys.includes(key as TextKey))).toEqual([]);
  });

  it('are all used', () => {
    const statuses = Array.from({ length: 200 }, (_, index) => 400 + index);
    const failures = [
      ...[...signInFailures, 'unknown'].map((reason) => `signIn.${reason}`),
      ...signOutFailures.map((reason) => `signOut.${reason}`),
    ];
    const messages = [
      ...statuses.map((status) => errorMessage(status)),
      ...codes.map((code) => errorMessage(500, code)),
      ...failures.map((failure) => ({ title: `${failure}.title`, text: `${failure}.text` })),
    ];
    const built = new Set<string>([
      ...messages.flatMap(({ title, text }) => [title, text]),
      ...sessionEnds.map((end) => `ended.${end}`),
      ...signedOuts.map((what) => `signedOut.ended.${what}`),
      ...keys.map((key) => describedClaims({ [key.replace('claim.', '')]: 'x' })[0]?.about ?? ''),
    ]);
    const sources = [...views, ...sourcesIn('src', 'texts')];
    const isNamed = (key: string) =>
      sources.some((source) => source.includes(`'${key}'`) || source.includes(`"${key}"`));
    expect(keys.filter((key) => !built.has(key) && !isNamed(key))).toEqual([]);
  });
});

let app: RunningApp;
let browsers: Record<Person | 'visitor', Browser>;

beforeAll(async () => {
  app = await startAppWithApi();
  browsers = { visitor: app.browser(), alice: app.browser(), bob: app.browser() };
  for (const person of ['alice', 'bob'] as const) await signIn(browsers[person], people[person]);
}, 30_000);
afterAll(() => app.close());

describe('the language of a page', () => {
  const languageOf = async (header: string, path = '/') => {
    const page = await app.browser().get(path, { 'accept-language': header });
    expect(page.headers['vary']).toMatch(/\bAccept-Language\b/);
    const declared = page.document.querySelector('html')?.getAttribute('lang');
    expect(page.headers['content-language']).toBe(declared);
    return declared;
  };

  it.each([
    ['de-CH,de;q=0.9', 'de'],
    ['de', 'de'],
    ['fr-CA, fr;q=0.8, en;q=0.5', 'fr'],
    ['en-US,de;q=0.9', 'en'],
    ['ja, de;q=0.5, fr;q=0.7', 'fr'],
    ['ja', 'en'],
    ['*', 'en'],
    ['de;q=0, fr;q=0.1', 'fr'],
    ['', 'en'],
    ['<script>,;;q=ñ=,', 'en'],
    [`${'de-x-'.repeat(800)}`, 'en'],
    ['__proto__, constructor', 'en'],
  ])('is the best match of Accept-Language (%#)', async (header, expected) => {
    expect({ header, language: await languageOf(header) }).toEqual({ header, language: expected });
  });

  it('is the best match of Accept-Language on error pages, too', async () => {
    expect(await languageOf('de', '/no-such-page')).toBe('de');
    expect(await languageOf('fr', '/failures/500')).toBe('fr');
  });
});

describe.each(pages)('the page $name', ({ path, person, status = 200 }) => {
  /** All visible and spoken texts of a page, and its description. */
  const wordsOn = ({ document }: Page) => {
    const attributes = [
      'aria-label',
      'alt',
      'title',
      'placeholder',
      'data-waiting',
      'data-failed',
      'content',
    ];
    const spoken = document
      .querySelectorAll('*')
      .flatMap((element) => attributes.flatMap((name) => element.getAttribute(name) ?? []));
    const read = document
      .querySelectorAll('title, body *')
      .flatMap((element) => element.childNodes.filter((node) => node instanceof TextNode))
      .map(({ text }) => text);
    return [...spoken, ...read].map((words) => words.replace(/\s+/g, ' ').trim()).filter(Boolean);
  };
  const patternOf = (text: string) =>
    new RegExp(`^${text.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '.+')}$`);

  it.each(['en', 'de', 'fr'])('is completely in the language %s', async (language) => {
    const page = await browsers[person ?? 'visitor'].get(path, { 'accept-language': language });
    expect(page.status).toBe(status);
    expect(page.url.href).toBe(app.origin + path);
    const words = wordsOn(page);
    expect(words.filter((part) => keys.some((key) => part.includes(key)))).toEqual([]);
    expect(page.text).not.toMatch(/\{\w+\}|undefined|\[object /);

    const own = Object.values(texts[language] ?? {}).map(patternOf);
    expect(words.filter((part) => own.some((pattern) => pattern.test(part))).length).toBeGreaterThan(5);
    const foreign = Object.entries(texts)
      .filter(([other]) => other !== language)
      .flatMap(([, source]) => Object.values(source).map(patternOf));
    const untranslated = words.filter(
      (part) => !own.some((pattern) => pattern.test(part)) && foreign.some((pattern) => pattern.test(part)),
    );
    // Role names are not translated.
    expect(untranslated.filter((part) => part !== 'admin')).toEqual([]);
  });
});

describe('ui_locales of the authorization request', () => {
  const PRESS = 'form[action="/auth/signin/zitadel"]';
  const asked = async (browser: Browser, flow: () => Promise<Page>) =>
    (await browser.stopAt('/oauth/v2/authorize', flow)).searchParams.get('ui_locales');

  it.each([
    ['de-CH,de;q=0.9', 'de'],
    ['fr', 'fr'],
    ['en', 'en'],
  ])('is the language of the browser: %s', async (header, expected) => {
    const browser = app.browser();
    const headers = { 'accept-language': header };
    const login = await browser.get('/auth/login', headers);
    const button = new URLSearchParams(
      login.document
        .querySelectorAll(`${PRESS} input`)
        .map((input) => [input.getAttribute('name') ?? '', input.getAttribute('value') ?? '']),
    );
    const answer = await browser.request(
      'POST',
      new URL('/auth/signin/zitadel', app.origin),
      button,
      headers,
    );
    const authorize = new URL(answer.headers['location'] ?? '');
    expect(authorize.pathname).toBe('/oauth/v2/authorize');
    expect(authorize.searchParams.get('ui_locales')).toBe(expected);
  });

  it('is the language of the browser in a third-party initiated login', async () => {
    const browser = app.browser();
    const address = `/auth/initiate?iss=${encodeURIComponent(app.sandbox.issuer)}`;
    const flow = () => browser.get(address, { 'accept-language': 'de-CH,de;q=0.9' });
    expect(await asked(browser, flow)).toBe('de');
  });

  it('is that of the query of the login page, whatever the language of the browser', async () => {
    const browser = app.browser();
    const login = await browser.get('/auth/login?ui_locales=fr-CA', { 'accept-language': 'de' });
    expect(await asked(browser, () => browser.submit(login, PRESS))).toBe('fr-CA');
  });
});
