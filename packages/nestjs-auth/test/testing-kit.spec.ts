import { Controller, Get, Req, Res, UseGuards } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import Credentials from '@auth/core/providers/credentials';
import GitHub from '@auth/core/providers/github';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  AuthGuard,
  AuthSession,
  Public,
  RequireRoles,
  SessionService,
  tokenSetFrom,
  type AuthenticatedRequest,
  type HttpResponse,
  type Session,
} from '../src/index.js';
import { loginAs, replaceRefresh } from '../src/testing/index.js';
import { bodyOf, options, program, TinyApp } from './support/tiny-app.js';

@Controller()
class Pages {
  constructor(private readonly sessions: SessionService) {}

  @Get('session')
  session(@AuthSession() session: Session) {
    return session.user;
  }

  @Get('open')
  @Public()
  open(@AuthSession() session: Session | null) {
    return { id: session?.user.id ?? null };
  }

  @Get('admin')
  @RequireRoles('admin')
  admin() {
    return { admin: true };
  }

  @Get('token')
  async token(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    return { accessToken: (await this.sessions.freshToken(request, response))?.accessToken ?? null };
  }
}

let app: TinyApp;
afterEach(() => app.close());

const start = async (auth: object = {}, given: object = {}) =>
  (app = await TinyApp.start({ auth: auth, controllers: [Pages], ...given }));
const providerOf = () => options.providers[0] as object;
const alice = { sub: 'alice', name: 'Alice', roles: ['admin'] };
const get = (path: string, cookie: string) => app.get(path, { cookie, ...program });

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('a session without a provider, on %s', (_name, adapter) => {
  it('opens routes and roles', async () => {
    await start({}, { adapter: adapter() });
    const { cookie } = await loginAs(app.nest, alice);
    await get('/admin', cookie).expect(200);
    expect(bodyOf(await get('/session', cookie).expect(200))).toMatchObject({ id: 'alice', name: 'Alice' });
    await get('/admin', (await loginAs(app.nest, { sub: 'bob' })).cookie).expect(403);
  });

  it.each(['http', 'https'])('comes as an agent, which takes over renewed cookies of %s', async (scheme) => {
    const origin = `${scheme}://app.example`;
    await start({ session: { maxAge: 1_000 }, origin }, { adapter: adapter() });
    const agent = await (await loginAs(app.nest, alice)).agent();
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now');
    try {
      for (const seconds of [900, 1_800, 2_700]) {
        clock.mockReturnValue(now + seconds * 1_000);
        await agent.get('/session').set(program).expect(200);
      }
    } finally {
      clock.mockRestore();
    }
  });

  it('may have expired', async () => {
    await start({}, { adapter: adapter() });
    const expired = (await loginAs(app.nest, alice)).expired();
    await get('/session', expired.cookie).expect(401);
    await (await expired.agent()).get('/session').set(program).expect(401);
  });
});

describe('the program that a session is made for', () => {
  it('may guard its routes itself', async () => {
    @Controller('own')
    @UseGuards(AuthGuard())
    class Own {
      @Get()
      own() {
        return 'own';
      }
    }
    await start({}, { controllers: [Own, Pages], config: { globalGuard: false } });
    await get('/own', '').expect(401);
    await get('/own', (await loginAs(app.nest, alice)).cookie).expect(200);
  });

  it('may have callbacks and a `profile` of its own', async () => {
    const provider = {
      id: 'own',
      name: 'Own',
      type: 'oidc',
      issuer: 'http://localhost:9',
      clientId: 'client',
      options: {
        profile: (claims: { sub: string; given_name: string; groups: string[] }) => ({
          id: claims.sub,
          name: claims.given_name,
          groups: claims.groups,
        }),
      },
    };
    const callbacks = {
      jwt: ({ token, user, account, trigger }: Record<string, Record<string, unknown>>) =>
        account ? { ...token, groups: user?.['groups'], by: [account['provider'], trigger] } : token,
      session: ({ session, token }: { session: Session; token: Record<string, unknown> }) => ({
        ...session,
        user: { ...session.user, roles: token['groups'], by: token['by'] },
      }),
    };
    await start({ providers: [provider], callbacks });
    const { cookie } = await loginAs(app.nest, { sub: 'u1', given_name: 'Ann', groups: ['admin'] });
    expect(bodyOf(await get('/session', cookie))).toMatchObject({
      id: 'u1',
      name: 'Ann',
      roles: ['admin'],
      by: ['own', 'signIn'],
    });
    await get('/admin', cookie).expect(200);
  });

  it('need not run the `profile` of the provider, which may call the network', async () => {
    const profile = () => fetch('http://127.0.0.1:9') as Promise<never>;
    await start({ providers: [{ ...providerOf(), profile }] });
    await expect(loginAs(app.nest, alice)).rejects.toThrow('fetch failed');
    const names = [];
    for (const given of [
      false,
      ({ sub }: { sub?: string | null }) => ({ id: String(sub), name: 'Own' }),
    ] as const) {
      const { cookie } = await loginAs(app.nest, alice, { profile: given });
      names.push((bodyOf(await get('/session', cookie).expect(200)) as { name: string }).name);
    }
    expect(names).toEqual(['Alice', 'Own']);
  });

  it('may say where roles come from, unless the test does', async () => {
    const roles = ({ groups }: { groups?: string[] }) => groups ?? [];
    await start({ roles });
    await get('/admin', (await loginAs(app.nest, { sub: 'u1', groups: ['admin'] })).cookie).expect(200);
    await get('/admin', (await loginAs(app.nest, { sub: 'u1', groups: [] })).cookie).expect(403);
    await get('/admin', (await loginAs(app.nest, alice)).cookie).expect(200);
  });

  it('may have several providers, of other kinds, or none', async () => {
    const github = GitHub({ clientId: 'client', clientSecret: 'secret' });
    const password = Credentials({ credentials: {}, authorize: () => null });
    await start({ providers: [() => github, password] });
    for (const provider of ['github', 'credentials', undefined]) {
      const { cookie, token } = await loginAs(app.nest, alice, provider === undefined ? {} : { provider });
      expect(bodyOf(await get('/session', cookie))).toMatchObject({ id: 'alice', name: 'Alice' });
      expect(token.accessToken).toBeUndefined();
      await get('/admin', cookie).expect(200);
    }
    await expect(loginAs(app.nest, alice, { provider: 'google' })).rejects.toThrow('no provider `google`');
    await app.close();
    await start({ providers: [] });
    await get('/session', (await loginAs(app.nest, alice)).cookie).expect(200);
  });

  it('may refuse the user', async () => {
    await start({
      callbacks: { signIn: ({ profile }: { profile: { sub: string } }) => profile.sub === 'bob' },
    });
    await loginAs(app.nest, { sub: 'bob' });
    await expect(loginAs(app.nest, alice)).rejects.toThrow('`signIn` refuses');
    await app.close();
    await start({ callbacks: { jwt: () => null } });
    await expect(loginAs(app.nest, alice)).rejects.toThrow('`jwt` refuses');
  });

  it('may stand at an https origin, and keep much in a session', async () => {
    await start({ origin: 'https://app.example', session: { maxCookies: 4 } });
    const claims = {
      ...alice,
      picture: Array.from({ length: 1_500 }, () => Math.random().toString(36)[2]).join(''),
    };
    const long = {
      tokens: { access_token: Array.from({ length: 500 }, () => Math.random().toString(36)).join('') },
    };
    const session = await loginAs(app.nest, claims, long);
    expect(session.cookie).toMatch(/^__Host-authjs.session-token.0=.*; __Host-authjs.session-token.1=/);
    await (await session.agent()).get('/session').expect(200);
  });
});

describe('the tokens of such a session', () => {
  const tokenIn = async (cookie: string) =>
    (bodyOf(await get('/token', cookie).expect(200)) as { accessToken: string | null }).accessToken;

  it('are there, and fresh', async () => {
    await start();
    const { cookie, token } = await loginAs(app.nest, alice);
    expect(token.accessToken).toMatch(/^access-token-/);
    expect(await tokenIn(cookie)).toBe(token.accessToken);
    const given = await loginAs(app.nest, alice, { tokens: { access_token: 'given' } });
    expect(await tokenIn(given.cookie)).toBe('given');
  });

  it('may have expired, and their refresh refused: then the session has ended', async () => {
    await start();
    const restore = replaceRefresh(app.nest, 'refused');
    const session = await loginAs(app.nest, alice);
    await get('/session', session.cookie).expect(200);
    const { cookie, token } = await session.withExpiredTokens();
    expect([token.jti, token.sub]).toEqual([session.token.jti, 'alice']);
    await get('/session', cookie).expect(401);
    restore();
    // Its end lasts.
    await get('/session', session.cookie).expect(401);
  });

  it('are refreshed as before after replacements that were put back in any order', async () => {
    await start();
    const { refresh } = app.resolved;
    const [first, second] = [replaceRefresh(app.nest, 'refused'), replaceRefresh(app.nest, 'unavailable')];
    first();
    second();
    expect(app.resolved.refresh).toBe(refresh);
  });

  it('may have expired while the provider does not answer: then the session stays', async () => {
    await start();
    replaceRefresh(app.nest, 'unavailable');
    const { cookie } = await (await loginAs(app.nest, alice)).withExpiredTokens();
    await get('/session', cookie).expect(200);
    await get('/token', cookie).expect(503);
  });

  it('may be renewed without a provider', async () => {
    await start();
    replaceRefresh(app.nest, (token) => ({
      ...token,
      ...tokenSetFrom({ access_token: 'renewed', expires_in: 60 }),
    }));
    const agent = await (await (await loginAs(app.nest, alice)).withExpiredTokens()).agent();
    for (let i = 0; i < 2; i++)
      expect(bodyOf(await agent.get('/token').expect(200))).toEqual({ accessToken: 'renewed' });
  });

  it('are those of a program that keeps tokens itself, too', async () => {
    const callbacks = {
      jwt: ({
        token,
        account,
      }: {
        token: object;
        account?: { expires_at: number; refresh_token: string };
      }) => (account ? { ...token, until: account.expires_at, secret: account.refresh_token } : token),
    };
    await start({ callbacks });
    const session = await loginAs(app.nest, alice);
    expect(session.token['until']).toBeGreaterThan(Date.now() / 1000);
    expect((await session.withExpiredTokens()).token['until']).toBeLessThan(Date.now() / 1000);
  });

  it('are missing with `refresh: false`', async () => {
    await start({ refresh: false });
    const { token } = await loginAs(app.nest, alice);
    expect(token.accessToken).toBeUndefined();
    expect(() => replaceRefresh(app.nest, 'refused')).toThrow('refresh: false');
    const session = await loginAs(app.nest, alice);
    await expect(session.withExpiredTokens()).rejects.toThrow('holds no tokens');
  });
});
