import { afterAll, beforeAll, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultUsers } from 'zitadel-sandbox';
import type { Browser } from './support/browser.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';

const rhea = {
  loginName: 'rhea@acme.example',
  givenName: 'Rhea',
  familyName: 'Rolls',
  email: 'rhea@acme.example',
  organization: 'Acme',
  roles: Array.from({ length: 30 }, (_, index) => `role-${index}`),
};

/** What no page of anybody else has. */
const marks = {
  'alice@acme.example': ['Alice Archer', '320000000000000011'],
  'bob@acme.example': ['Bob Baker', '320000000000000012'],
  'rhea@acme.example': ['Rhea Rolls', 'role-29'],
};
const people = ['', ...Object.keys(marks)] as ('' | keyof typeof marks)[];
const languages = ['en', 'de', 'fr'];
const paths = ['/', '/profile', '/admin', '/no/such/page', '/auth/login?prompt=login', '/danger'];

let app: RunningApp;
const browsers = new Map<string, Browser>();
beforeAll(async () => {
  app = await startApp({ sandbox: { users: [...defaultUsers, rhea] } });
  for (const person of people) browsers.set(person, app.browser());
  for (const [person, browser] of browsers) if (person) await signIn(browser, person);
}, 30_000);
afterAll(() => app?.close());

const requests = fc.record({
  person: fc.constantFrom(...people),
  language: fc.constantFrom(...languages),
  path: fc.constantFrom(...paths),
});
type Asked = typeof requests extends fc.Arbitrary<infer Request> ? Request : never;

/** A page without what is new each time. */
async function pageFor({ person, language, path }: Asked): Promise<string> {
  const browser = browsers.get(person) as Browser;
  const url = new URL(path, app.origin);
  const { text, headers } = await browser.request('GET', url, undefined, { 'accept-language': language });
  const isVisitor = person === '';
  return [headers['content-language'], headers['location'], text]
    .join('\n')
    .replace(/\b[0-9a-f]{12}\b/g, '')
    .replace(isVisitor ? /name="csrfToken" value="\w+"/g : /$^/, '');
}

it('pages of people who ask at the same time are what each of them gets alone', async () => {
  const alone = new Map<string, string>();
  for (const person of people)
    for (const language of languages)
      for (const path of paths)
        alone.set(`${person} ${language} ${path}`, await pageFor({ person, language, path }));

  const asked = fc.array(requests, { minLength: 20, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(asked, async (all) => {
      const answers = await Promise.all(all.map(pageFor));
      all.forEach(({ person, language, path }, index) => {
        const page = answers[index] ?? '';
        expect(page).toBe(alone.get(`${person} ${language} ${path}`));
        for (const [other, texts] of Object.entries(marks))
          if (other !== person) for (const mark of texts) expect(page).not.toContain(mark);
      });
    }),
    { numRuns: 15 },
  );
  // The marks would be worth nothing if they were on no page.
  for (const [person, texts] of Object.entries(marks))
    for (const mark of texts) expect(alone.get(`${person} en /profile`)).toContain(mark);
}, 60_000);
