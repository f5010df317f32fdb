import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser } from '../../../../test/support/browser.js';
import { freePort } from '../../../../test/support/free-port.js';
import { listens } from '../../../../test/support/redis.js';
import { samplesIn, type SampleProject } from '../../../../test/support/sample-project.js';
import { choose } from '../../../../test/support/sign-in.js';
import { readmePrograms } from './readme-programs.js';

/** They sign in at the sandbox. */
const names = ['pages', 'guests', 'store'] as const;
type Name = (typeof names)[number];

/** From a page over the sign-in page of Auth.js to the sandbox, and back. */
async function signIn(browser: Browser, page: string, loginName: string) {
  const signInPage = await browser.get(page);
  return choose(browser, await browser.submit(signInPage, 'form[action$="/signin/zitadel"]'), loginName);
}

/** Compiles the samples of the README in a project, and runs all of them in three programs against a sandbox. */
export function runSamples(makeProject: () => SampleProject) {
  let project: SampleProject;
  let sandbox: Sandbox;
  const origins = {} as Record<Name, string>;

  beforeAll(async () => {
    for (const name of names) origins[name] = `http://localhost:${await freePort()}`;
    const redirectUris = names.map(
      (name) => `${origins[name]}${name === 'guests' ? '/login' : '/auth'}/callback/zitadel`,
    );
    sandbox = await startSandbox({ web: { redirectUris } });
    project = makeProject();
    const samples = samplesIn('packages/nestjs-auth/README.md').map((code, index): [string, string] => [
      `sample-${index}`,
      code
        .replaceAll('https://my-instance.zitadel.cloud', sandbox.issuer)
        .replaceAll('https://app.example.com', index === 0 ? origins.pages : origins.guests)
        // Takes access tokens, as the service of the sample does.
        .replaceAll('https://api.example/orders', `${sandbox.issuer}/oidc/v1/userinfo`),
    ]);
    project.compile({ ...Object.fromEntries(samples), ...readmePrograms });
    for (const name of names) {
      const program = project.run(name, { PORT: new URL(origins[name]).port });
      await program.says('successfully started');
      await listens(Number(new URL(origins[name]).port));
    }
  }, 180_000);

  afterAll(async () => {
    await project.remove();
    await sandbox.close();
  });

  describe('the first samples of the README', () => {
    it('greet a stranger, and by name who is signed in', async () => {
      const browser = new Browser(origins.pages);
      expect((await browser.get('/')).text).toBe('Hello stranger');
      await signIn(browser, '/admin', 'bob@acme.example');
      expect((await browser.get('/')).text).toBe('Hello Bob Baker');
    });

    it('open a page to a role, and answer 403 to others', async () => {
      const admin = await signIn(new Browser(origins.pages), '/admin', 'alice@acme.example');
      expect([admin.url.pathname, JSON.parse(admin.text)]).toEqual([
        '/admin',
        expect.arrayContaining(['admin']),
      ]);
      const other = await signIn(new Browser(origins.pages), '/admin', 'bob@acme.example');
      expect([other.url.pathname, other.status]).toEqual(['/admin', 403]);
    });
  });

  describe('the sample with a call of another service', () => {
    it('sends the access token of the session', async () => {
      const page = await signIn(new Browser(origins.pages), '/orders', 'bob@acme.example');
      expect(JSON.parse(page.text)).toMatchObject({ name: 'Bob Baker' });
    });
  });

  describe('the samples with asynchronous options and a guard', () => {
    it('sign in below `basePath`, where the guard of the route asks for it', async () => {
      const browser = new Browser(origins.guests);
      const page = async (path: string) => (await browser.get(path)).text;
      expect([await page('/open'), await page('/guests')]).toEqual(['open', 'nobody']);
      const { id } = sandbox.users.find(({ loginName }) => loginName === 'bob@acme.example') ?? {};
      const member = await signIn(browser, '/members', 'bob@acme.example');
      expect(member.path.map(({ pathname }) => pathname)).toContain('/login/callback/zitadel');
      expect([member.text, await page('/guests')]).toEqual([id, id]);
    });
  });

  describe('the samples with types, a store of ended sessions and a sign-out', () => {
    it('show the members of the program, and end copies of the cookie', async () => {
      const browser = new Browser(origins.store);
      const page = await signIn(browser, '/', 'bob@acme.example');
      expect(page.text).toMatch(/ \(sales\) at Acme$/);
      const cookie = await browser.jar.getCookieString(origins.store);
      const copy = () => fetch(origins.store, { headers: { cookie } });
      expect((await copy()).status).toBe(200);
      const answer = await browser.post('/leave', {});
      expect([answer.status, answer.headers['location']]).toEqual([303, '/goodbye']);
      expect((await copy()).status).toBe(401);
    });
  });

  describe('the sample with the testing kit', () => {
    it('passes in a program of its own, without supertest', async () => {
      const program = project.run('testing', { PORT: String(await freePort()) });
      await program.says('The tests have passed');
    });
  });
}
