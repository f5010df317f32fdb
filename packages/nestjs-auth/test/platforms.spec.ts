import { Controller, Get, Res } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import Credentials from '@auth/core/providers/credentials';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Response } from 'express';
import { startHostileProvider, type HostileProvider } from '../../../test/support/hostile-provider.js';
import { AuthSession, Public, RequireRoles, type IAuthModuleOptions, type Session } from '../src/index.js';
import type { Page } from '../../../test/support/browser.js';
import { startSite, type Site } from './support/site.js';
import { bodyOf, program, publicClientOf, sessionCookies, TinyApp } from './support/tiny-app.js';

interface Platform {
  adapter: () => AbstractHttpAdapter;
  /** Adds a header to every response, before anything else handles the request. */
  hook: (nest: TinyApp['nest']) => void;
}

const platforms: Record<string, Platform> = {
  Express: {
    adapter: () => new ExpressAdapter(),
    hook: (nest) =>
      void (nest as NestExpressApplication).use((_request: unknown, response: Response, next: () => void) => {
        response.setHeader('x-hook', 'here');
        next();
      }),
  },
  Fastify: {
    adapter: () => new FastifyAdapter(),
    hook: (nest) =>
      void (nest as NestFastifyApplication)
        .getHttpAdapter()
        .getInstance()
        .addHook('onRequest', (_request, reply, done) => {
          void reply.header('x-hook', 'here');
          done();
        }),
  },
};

/** What both kinds of responses have. */
interface AnyResponse {
  header(name: string, value: string): void;
  append?(name: string, value: string): void;
}

@Controller()
class Pages {
  @Get('closed')
  closed(@AuthSession() session: Session) {
    return { name: session.user.name };
  }

  @Get('open')
  @Public()
  open(@AuthSession() session: Session | null) {
    return { name: session?.user.name ?? null };
  }

  @Get('admin')
  @RequireRoles('admin')
  admin() {
    return { admin: true };
  }

  @Get('own-cookie')
  ownCookie(@Res({ passthrough: true }) response: AnyResponse) {
    if (response.append) response.append('set-cookie', 'own=1');
    else response.header('set-cookie', 'own=1');
    return { own: true };
  }
}

let provider: HostileProvider;
beforeAll(async () => {
  provider = await startHostileProvider();
});
afterAll(() => provider.close());

describe.each(Object.entries(platforms))('on %s, the module', (_name, { adapter, hook }) => {
  let app: TinyApp;
  let site: Site | undefined;
  const start = async (auth: Partial<IAuthModuleOptions> = {}, given: { prefix?: string } = {}) =>
    (app = await TinyApp.start({ auth, controllers: [Pages], adapter: adapter(), setup: hook, ...given }));
  afterEach(async () => {
    await (site?.app ?? app).close();
    site = undefined;
  });

  it('guards routes', async () => {
    await start();
    await app.get('/closed', program).expect(401);
    await app.get('/closed', { cookie: await app.loginAs() }).expect(200, { name: 'User' });
    await app.get('/open').expect(200, { name: null });
    await app.get('/open', { cookie: await app.loginAs() }).expect(200, { name: 'User' });
    await app.get('/admin', { cookie: await app.loginAs() }).expect(403);
    const cookie = await app.loginAs({ roles: ['admin'] });
    await app.get('/admin', { cookie }).expect(200);
  });

  it('keeps the headers of hooks on every response', async () => {
    await start();
    const answers = [
      await app.page('/closed?a=1').expect(302),
      await app.get('/closed', program).expect(401),
      await app.get('/auth/signin').expect(200),
      await app.get('/auth/session').expect(200, 'null'),
      await app.get('/auth/error?error=AccessDenied').expect(403),
      await app.get('/auth/nothing').expect(404),
    ];
    expect(answers.map(({ headers }) => String(headers['x-hook']))).toEqual(answers.map(() => 'here'));
    expect(answers[0]?.headers['location']).toBe('/auth/signin?callbackUrl=%2Fclosed%3Fa%3D1');
    expect(answers[0]?.headers['content-type']).toBeUndefined();
    expect(answers[2]?.headers['content-type']).toContain('text/html');
  });

  it('sends the slid session cookie beside the cookies of the application', async () => {
    await start();
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now - 61_000);
    const cookie = await app.loginAs();
    clock.mockRestore();
    const { headers } = await app.get('/own-cookie', { cookie }).expect(200, { own: true });
    expect(headers['set-cookie']).toHaveLength(2);
    expect(headers['set-cookie']).toContain('own=1');
    expect(Object.values(sessionCookies(headers))).toEqual([expect.stringMatching(/^.{50,}$/)]);
  });

  it('withdraws a superseded session cookie and keeps the cookies of the application', async () => {
    let isSuperseded = false;
    const refresh = {
      isDue: () => false,
      refresh: () => Promise.reject(new Error('never')),
      isSuperseded: () => isSuperseded,
    };
    await start({ refresh });
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now - 61_000);
    const cookie = await app.loginAs();
    clock.mockRestore();
    isSuperseded = true;
    expect((await app.get('/own-cookie', { cookie }).expect(200)).headers['set-cookie']).toEqual(['own=1']);
    expect((await app.get('/closed', { cookie }).expect(200)).headers['set-cookie']).toBeUndefined();
  });

  it('serves its routes below a global prefix', async () => {
    await start({}, { prefix: 'api' });
    const { idp } = bodyOf(await app.get('/api/auth/providers').expect(200)) as {
      idp: { signinUrl: string };
    };
    expect(idp.signinUrl).toBe('http://localhost:3000/api/auth/signin/idp');
    await app.get('/auth/providers').expect(404);
  });

  it('responds to other methods and HEAD', async () => {
    await start();
    expect((await app.head('/auth/signin').expect(200)).text ?? '').toBe('');
    await app.post('/auth/csrf', {}).expect(405);
    await app.post('/auth/signout', {}).expect(403);
  });

  it('signs in at an OpenID provider and out again', async () => {
    site = await startSite({ providers: [publicClientOf(provider)] }, [Pages], { adapter: adapter() });
    const page = await site.toProvider(`/closed?${'x'.repeat(400)}`);
    expect([page.url.pathname, page.url.search.length, page.status]).toEqual(['/closed', 401, 200]);
    const { csrfToken = '' } = JSON.parse((await site.browser.get('/auth/csrf')).text) as Record<
      string,
      string
    >;
    expect((await site.browser.post('/auth/signout', { csrfToken })).status).toBe(302);
    expect((await site.browser.get('/auth/session')).text).toBe('null');
  });

  it('signs a user in with a password', async () => {
    const providers = [
      Credentials({
        credentials: { password: { type: 'password' } },
        authorize: ({ password }) => (password === 'right' ? { id: 'u1', name: 'Somebody' } : null),
      }),
    ];
    site = await startSite({ providers }, [Pages], { adapter: adapter() });
    const { browser } = site;
    const submit = (form: Page, password: string) =>
      browser.submit(form, 'form[action*="callback/credentials"]', { fields: { password } });
    const again = await submit(await browser.get('/closed?a=1&b=%22'), 'wrong');
    expect(again.url.searchParams.get('error')).toBe('CredentialsSignin');
    const page = await submit(again, 'right');
    expect([page.url.pathname + page.url.search, page.text]).toEqual([
      '/closed?a=1&b=%22',
      '{"name":"Somebody"}',
    ]);
  });
});
