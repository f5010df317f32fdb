import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser } from '../../../../test/support/browser.js';
import { freePort } from '../../../../test/support/free-port.js';
import { listens, startRedis, type RunningRedis } from '../../../../test/support/redis.js';
import type { RunningProgram } from '../../../../test/support/run-program.js';
import { samplesIn, type SampleProject } from '../../../../test/support/sample-project.js';
import { serviceUserTokens } from '../../../../test/support/service-user-tokens.js';
import { choose } from '../../../../test/support/sign-in.js';
import { until } from '../../../../test/support/until.js';

export const readme = 'packages/nestjs-zitadel/README.md';

/** A program that its tests start, while Zitadel is away. */
const testedProgram = `
  import 'reflect-metadata';
  import { AuthSession, RequireRoles, type Session } from '@mridang/nestjs-auth';
  import { ZitadelModule } from '@mridang/nestjs-zitadel';
  import { Controller, Get, Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { loginAsAdmin } from './sample-3.js';

  @Controller()
  class AdminController {
    @Get() @RequireRoles('admin') read(@AuthSession() { user }: Session) { return user.name + ' ' + user.roles; }
  }

  const origin = 'http://localhost:' + process.env['PORT'];
  const zitadel = ZitadelModule.register({
    issuer: 'http://localhost:9',
    clientId: '1',
    redirectUri: origin + '/auth/callback',
    secret: 'a secret for the tests that is long enough',
    checkAtStart: false,
  });

  @Module({ imports: [zitadel], controllers: [AdminController] })
  class Program {}

  void NestFactory.create(Program).then(async (app) => {
    await app.listen(Number(process.env['PORT']));
    const { cookie } = await loginAsAdmin(app);
    const answer = await fetch(origin, { headers: { cookie } });
    console.log(answer.status, await answer.text());
  });
`;

/** From a guarded page over the sign-in page of Auth.js to the sandbox, and back. */
async function signIn(browser: Browser, page: string, loginName: string) {
  const signInPage = await browser.get(page);
  const people = await browser.submit(signInPage, 'form[action$="/auth/signin/zitadel"]');
  return choose(browser, people, loginName);
}

async function signOut(browser: Browser) {
  return browser.submit(await browser.get('/auth/signout'), 'form[action$="/auth/signout"]');
}

/** Compiles the samples of the README in a project, and starts them on free ports against a sandbox. */
export function runSamples(makeProject: () => SampleProject) {
  let project: SampleProject;
  let sandbox: Sandbox;
  let redis: RunningRedis;
  let origin: string;
  let apiOrigin: string;

  beforeAll(async () => {
    const ports = [await freePort(), await freePort()];
    [origin, apiOrigin] = ports.map((port) => `http://localhost:${port}`) as [string, string];
    const web = {
      redirectUris: [`${origin}/auth/callback`],
      postLogoutRedirectUris: [`${origin}/auth/logout/callback`],
    };
    project = makeProject();
    sandbox = await startSandbox({ web, keyFolder: project.folder });
    redis = await startRedis();
    const placed = samplesIn(readme).map((code) =>
      code
        .replaceAll('http://localhost:8080', sandbox.issuer)
        .replaceAll(/\b3000\b/g, String(ports[0]))
        .replaceAll(/\b3001\b/g, String(ports[1])),
    );
    const files = Object.fromEntries(placed.map((code, index) => [`sample-${index}`, code]));
    project.compile({ ...files, tested: testedProgram });
  }, 180_000);

  afterAll(async () => {
    await project.remove();
    await redis.stop();
    await sandbox.close();
  });

  async function start(sample: number, env: Record<string, string> = {}): Promise<RunningProgram> {
    const program = project.run(`sample-${sample}`, env);
    await program.says('successfully started');
    // Nest says so before it listens.
    await listens(Number(env['PORT'] ?? new URL(sample === 1 ? apiOrigin : origin).port));
    return program;
  }

  describe('the first sample of the README', () => {
    let program: RunningProgram;
    beforeAll(async () => void (program = await start(0)));

    it('signs in whoever opens a page, and out again', async () => {
      const browser = new Browser(origin);
      const page = await signIn(browser, '/', 'bob@acme.example');
      expect([page.url.href, page.text]).toEqual([`${origin}/`, 'Hello Bob Baker']);
      await signOut(browser);
      expect((await browser.get('/')).url.pathname).toBe('/auth/signin');
    });

    it('opens a route with a role to those who have it, and answers 403 to others', async () => {
      const alice = await signIn(new Browser(origin), '/admin', 'alice@acme.example');
      expect([alice.url.pathname, alice.status]).toEqual(['/admin', 200]);
      expect(JSON.parse(alice.text)).toContain('admin');
      const bob = await signIn(new Browser(origin), '/admin', 'bob@acme.example');
      expect([bob.url.pathname, bob.status]).toEqual(['/admin', 403]);
    });

    it('answers 401 to a program', async () => {
      expect((await fetch(origin)).status).toBe(401);
    });

    it('logs no problem of the set-up', () => {
      expect(program.output()).not.toMatch(/ERROR|WARN/);
    });
  });

  describe('the API sample of the README', () => {
    beforeAll(() => start(1));

    const caller = (headers: Record<string, string>) => fetch(`${apiOrigin}/caller`, { headers });

    it('accepts a token of Zitadel and knows who calls', async () => {
      const scope = `openid urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;
      const { access_token: token } = await serviceUserTokens(sandbox, scope);
      const answer = await caller({ authorization: `Bearer ${token}` });
      expect(answer.status).toBe(200);
      expect(await answer.json()).toMatchObject({ clientId: 'robot@acme.example', roles: ['viewer'] });
    });

    it('answers 401 with a challenge to anybody else', async () => {
      for (const headers of [{}, { authorization: 'Bearer nonsense' }]) {
        const answer = await caller(headers);
        expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
          401,
          expect.stringMatching(/^Bearer/),
        ]);
      }
    });
  });

  describe('the sample of the README for several instances', () => {
    it('ends a session in all of them, and tells the observer', async () => {
      await project.stop();
      const otherPort = String(await freePort());
      const [one] = await Promise.all(
        [{}, { PORT: otherPort }].map((env) => start(2, { REDIS_URL: redis.url, ...env })),
      );
      const browser = new Browser(origin);
      await signIn(browser, '/', 'bob@acme.example');
      const cookie = await browser.jar.getCookieString(origin);
      const elsewhere = () => fetch(`http://localhost:${otherPort}/`, { headers: { cookie } });
      expect(await (await elsewhere()).text()).toBe('Hello Bob Baker');
      await signOut(browser);
      await until(async () => (await elsewhere()).status === 401);
      const { id } = sandbox.users.find(({ loginName }) => loginName === 'bob@acme.example') ?? {};
      await one?.says('A user signed in');
      await one?.says(`User ${id} signed in`);
      await one?.says(`User ${id} signed out (user): done`);
    }, 40_000);
  });

  describe('the sample of the README with a fresh sign-in', () => {
    it('opens to people with several factors, and refuses others once they have been asked', async () => {
      await project.stop();
      await start(4);
      const erin = await signIn(new Browser(origin), '/payments/keys', 'erin@acme.example');
      expect([erin.url.pathname, erin.text]).toEqual(['/payments/keys', 'Keys']);
      const alice = await signIn(new Browser(origin), '/payments/keys', 'alice@acme.example');
      expect(alice.url.origin).toBe(sandbox.issuer);
    }, 40_000);
  });

  describe('the sample of the README with a route for browsers and programs', () => {
    it('answers both, and asks a browser for the CSRF token', async () => {
      await project.stop();
      await start(5);
      const browser = new Browser(origin);
      const page = await signIn(browser, '/orders', 'alice@acme.example');
      expect([page.url.pathname, page.text]).toEqual(['/orders', 'Orders of alice@acme.example']);
      expect((await browser.post('/orders', {})).status).toBe(403);
      const scope = `openid profile urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;
      const { access_token: token } = await serviceUserTokens(sandbox, scope);
      const cookie = await browser.jar.getCookieString(origin);
      const post = (authorization: string) =>
        fetch(`${origin}/orders`, { method: 'POST', headers: { authorization, cookie } });
      const added = await post(`Bearer ${token}`);
      expect([added.status, await added.text()]).toEqual([201, 'An order of robot@acme.example']);
      expect((await post('Bearer unknown')).status).toBe(401);
    }, 40_000);
  });

  describe('the sample with a test session', () => {
    it('opens a role while Zitadel is away', async () => {
      const program = project.run('tested', { PORT: String(await freePort()) });
      await program.says('200 Alice admin');
    });
  });
}
