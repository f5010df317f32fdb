import {
  applyDecorators,
  ConflictException,
  Controller,
  Get,
  Injectable,
  Module,
  Req,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
  type ExecutionContext,
  type MiddlewareConsumer,
  type NestModule,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AuthGuard,
  AuthMiddleware,
  AuthModule,
  AuthModuleOptions,
  AuthSession,
  isPageRequest,
  localPath,
  Public,
  RequireRoles,
  ROLES_MEMBER_KEY,
  toWebRequest,
  type AuthenticatedRequest,
  type AuthOptionsFactory,
  type AuthUser,
  type IAuthGuard,
  type Session,
} from '../src/index.js';
import { bodyOf, options, program, secret, TinyApp } from './support/tiny-app.js';

let app: TinyApp;
afterEach(() => app?.close());

@Controller()
class Pages {
  @Get('open')
  @Public()
  open(@AuthSession() session: Session | null) {
    return { name: session?.user.name ?? null };
  }

  @Get('closed')
  closed(@AuthSession() session: Session, @Req() request: AuthenticatedRequest) {
    return { name: session.user.name, property: request.user?.name };
  }

  @Get('editors')
  @RequireRoles('editor', 'admin')
  editors() {
    return 'editors';
  }
}

@Controller('admin')
@RequireRoles('admin')
class AdminPages {
  @Get()
  all() {
    return 'admin';
  }

  @Get('help')
  @RequireRoles('editor')
  help() {
    return 'help';
  }
}

const withRoles = {
  callbacks: {
    session: ({ session, token }: { session: Session; token: { roles?: string[] } }) => ({
      ...session,
      user: { ...session.user, roles: token.roles },
    }),
  } as never,
};

describe('AuthModule', () => {
  @Injectable()
  class Factory implements AuthOptionsFactory {
    createAuthOptions() {
      return options;
    }
  }

  @Module({ providers: [Factory], exports: [Factory] })
  class FactoryModule {}

  it.each([
    ['register', AuthModule.register(options)],
    [
      'registerAsync with useFactory',
      AuthModule.registerAsync({ useFactory: () => Promise.resolve(options) }),
    ],
    [
      'registerAsync with useFactory and what it needs',
      AuthModule.registerAsync({
        imports: [FactoryModule],
        inject: [Factory],
        useFactory: (factory: Factory) => factory.createAuthOptions(),
      }),
    ],
    ['registerAsync with useClass', AuthModule.registerAsync({ useClass: Factory })],
    [
      'registerAsync with useExisting',
      AuthModule.registerAsync({ imports: [FactoryModule], useExisting: Factory }),
    ],
  ])('guards routes after %s', async (_name, module) => {
    app = await TinyApp.start({ imports: [module], controllers: [Pages] });
    await app.get('/closed', program).expect(401);
    await app.get('/closed', { cookie: await app.loginAs() }).expect(200, { name: 'User', property: 'User' });
    await app.get('/auth/providers').expect(200);
  });

  it('provides its options by their type', async () => {
    @Injectable()
    class Reader {
      constructor(readonly given: AuthModuleOptions) {}
    }
    app = await TinyApp.start({ providers: [Reader] });
    expect(app.nest.get(Reader).given.origin).toBe(options.origin);
    expect(app.nest.get(AuthModuleOptions)).toBe(app.nest.get(Reader).given);
  });

  it('throws for registerAsync() without useFactory, useClass or useExisting', () => {
    expect(() => AuthModule.registerAsync({})).toThrow('useFactory, useClass or useExisting');
  });

  it.each([
    ['a short secret', { secret: 'short' }],
    ['no secret', { secret: [] }],
    ['one short secret of several', { secret: [secret, 'short'] }],
  ])('refuses %s', async (_name, auth) => {
    await expect(TinyApp.start({ auth })).rejects.toThrow('at least 32 characters');
  });

  it('registers no global guards with globalGuard: false and rolesGuard: false', async () => {
    app = await TinyApp.start({
      config: { globalGuard: false, rolesGuard: false },
      controllers: [Pages, AdminPages],
    });
    await app.get('/editors').expect(200);
    await app.get('/admin').expect(200);
  });
});

describe('the base path', () => {
  it.each([
    { config: {}, prefix: '', path: '/auth' },
    { config: { basePath: '/login' }, prefix: '', path: '/login' },
    { config: {}, prefix: 'api', path: '/api/auth' },
    { config: { basePath: '/deep/login' }, prefix: '/v1', path: '/v1/deep/login' },
    { config: { basePath: 'login/' }, prefix: '', path: '/login' },
  ])('is $path', async ({ config, prefix, path }) => {
    app = await TinyApp.start({ config, prefix, controllers: [Pages] });
    const body = bodyOf(await app.get(`${path}/providers`).expect(200));
    expect(body).toMatchObject({
      idp: {
        signinUrl: `http://localhost:3000${path}/signin/idp`,
        callbackUrl: `http://localhost:3000${path}/callback/idp`,
      },
    });
    const closed = `${prefix && `/${prefix.replace('/', '')}`}/closed`;
    const { headers } = await app.page(`${closed}?a=1`).expect(302);
    expect(headers['location']).toBe(`${path}/signin?callbackUrl=${encodeURIComponent(`${closed}?a=1`)}`);
    await app.get(`${path}/nonsense`).expect(404);
    await app.get(`${path}/signin/stranger`).expect(404);
  });
});

describe('a global prefix with exceptions', () => {
  it.each([
    { exclude: ['auth/{*rest}'], path: '/auth' },
    { exclude: ['other'], path: '/v1/auth' },
  ])('puts the routes of the module at $path: $exclude', async ({ exclude, path }) => {
    app = await TinyApp.start({ prefix: 'v1', exclude, controllers: [Pages] });
    const body = bodyOf(await app.get(`${path}/providers`).expect(200));
    expect(body).toMatchObject({ idp: { signinUrl: `http://localhost:3000${path}/signin/idp` } });
  });
});

describe('AuthGuard', () => {
  it('accepts every request on public routes and provides the session if there is one', async () => {
    app = await TinyApp.start({ controllers: [Pages] });
    await app.get('/open').expect(200, { name: null });
    await app.get('/open', { cookie: await app.loginAs() }).expect(200, { name: 'User' });
  });

  it.each([
    [{ 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }, 302],
    [{ 'sec-fetch-mode': 'navigate', accept: 'application/json' }, 302],
    [{ 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty', accept: '*/*' }, 401],
    [{ 'sec-fetch-mode': 'cors', accept: 'text/html' }, 401],
    [{ 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }, 401],
    [{ 'sec-fetch-dest': 'document' }, 302],
    [{ accept: 'text/html,*/*;q=0.8' }, 302],
    [{ accept: '*/*' }, 401],
    [{ accept: 'application/json' }, 401],
  ])('responds to a request without a session and with %o with %i', async (headers, status) => {
    app = await TinyApp.start({ controllers: [Pages] });
    const answer = await app.get('/closed', headers);
    expect(answer.status).toBe(status);
    expect(answer.headers['cache-control']).toBe('no-store');
    if (status === 401) {
      expect(answer.body).toEqual({
        statusCode: 401,
        code: 'AUTH_SESSION_REQUIRED',
        message: 'Sign-in is required',
        loginUrl: '/auth/signin',
      });
    }
  });

  it('redirects to the signIn page of the options', async () => {
    app = await TinyApp.start({ auth: { pages: { signIn: '/hello?x=1' } }, controllers: [Pages] });
    const { headers } = await app.page('/closed').expect(302);
    expect(headers['location']).toBe('/hello?x=1&callbackUrl=%2Fclosed');
  });

  it('guards single routes with @UseGuards()', async () => {
    @Controller()
    class Some {
      @Get('guarded')
      @UseGuards(AuthGuard())
      guarded() {
        return 'guarded';
      }

      @Get('free')
      free(@AuthSession() session: Session | null) {
        return { session };
      }
    }
    app = await TinyApp.start({ config: { globalGuard: false }, controllers: [Some] });
    await app.get('/guarded', program).expect(401);
    await app.get('/guarded', { cookie: await app.loginAs() }).expect(200);
    await app.get('/free', { cookie: await app.loginAs() }).expect(200, { session: null });
  });

  it('can be extended with handleRequest() and getAuthenticateOptions()', async () => {
    @Injectable()
    class GuestGuard extends AuthGuard('idp') {
      override handleRequest(
        error: unknown,
        user: AuthUser | null,
        info: unknown,
        context: ExecutionContext,
      ) {
        return user ?? super.handleRequest(error, { id: 'guest', name: 'Guest' } as AuthUser, info, context);
      }

      override getAuthenticateOptions() {
        return { property: 'visitor' };
      }
    }
    @Controller()
    class Some {
      @Get('visitor')
      @UseGuards(GuestGuard)
      visitor(@Req() request: AuthenticatedRequest & { visitor: AuthUser }) {
        return { visitor: request.visitor.name, user: request.user ?? null };
      }
    }
    app = await TinyApp.start({ config: { globalGuard: false }, controllers: [Some] });
    await app.get('/visitor').expect(200, { visitor: 'Guest', user: null });
    await app.get('/visitor', { cookie: await app.loginAs() }).expect(200, { visitor: 'User', user: null });
  });

  it('awaits getAuthenticateOptions() and passes session and status to handleRequest()', async () => {
    const heard: unknown[] = [];
    @Injectable()
    class LateGuard extends AuthGuard(['idp']) {
      override handleRequest(
        error: unknown,
        user: AuthUser | null,
        info: unknown,
        context: ExecutionContext,
        status?: unknown,
      ) {
        heard.push([(info as Session | null)?.user.name, status]);
        return super.handleRequest(error, user, info, context, status);
      }

      override getAuthenticateOptions() {
        return Promise.resolve({ property: 'member' });
      }
    }
    @Controller()
    class Some {
      @Get('member')
      @UseGuards(LateGuard)
      member(@Req() request: AuthenticatedRequest & { member: AuthUser }) {
        return { member: request.member.name };
      }
    }
    app = await TinyApp.start({ config: { globalGuard: false }, controllers: [Some] });
    await app.get('/member', { cookie: await app.loginAs() }).expect(200, { member: 'User' });
    await app.get('/member', program).expect(401);
    expect(heard).toEqual([
      ['User', undefined],
      [undefined, 401],
    ]);
  });

  it('calls handleRequest() of an extended guard on no public route', async () => {
    @Injectable()
    class StrictGuard extends AuthGuard() {
      override handleRequest(error: unknown, user: AuthUser | null): AuthUser {
        if (error || !user) throw new UnauthorizedException();
        return user;
      }
    }
    app = await TinyApp.start({
      config: { globalGuard: false },
      controllers: [Pages],
      providers: [{ provide: APP_GUARD, useClass: StrictGuard }],
    });
    await app.get('/open').expect(200, { name: null });
    await app.get('/open', { cookie: await app.loginAs() }).expect(200, { name: 'User' });
    await app.get('/closed').expect(401);
    await app.get('/auth/providers').expect(200);
  });

  it.each(['my cookie=1', '=x', 'mü=1', 'a=b; ;;=; c'])(
    'does not keep Auth.js from responding beside the malformed cookie "%s"',
    async (cookie) => {
      app = await TinyApp.start({});
      await app.get('/auth/providers', { cookie: Buffer.from(cookie).toString('latin1') }).expect(200);
    },
  );

  it('stores the user in the property of the options', async () => {
    @Controller()
    class Some {
      @Get('account')
      account(@Req() request: AuthenticatedRequest & { account?: AuthUser }) {
        return { account: request.account?.name, user: request.user ?? null };
      }
    }
    app = await TinyApp.start({ auth: { property: 'account' }, controllers: [Some] });
    await app.get('/account', { cookie: await app.loginAs() }).expect(200, { account: 'User', user: null });
  });

  it('rethrows the error of a session that could not be read', async () => {
    app = await TinyApp.start({ controllers: [Pages] });
    const guard = await guardOf(app, AuthGuard());
    const context = new ExecutionContextHost([{ headers: {}, url: '/' }], Pages, closed);
    expect(() => guard.handleRequest(new TypeError('broken'), null, undefined, context)).toThrow('broken');
    expect(() => guard.handleRequest('broken', null, undefined, context)).toThrow('could not be read');
  });

  it('accepts contexts other than HTTP', async () => {
    app = await TinyApp.start({ controllers: [Pages] });
    const context = new ExecutionContextHost([], Pages, closed);
    context.setType('rpc');
    const guard = await guardOf(app, AuthGuard());
    expect(await guard.canActivate(context)).toBe(true);
  });
});

const closed = (Object.getOwnPropertyDescriptor(Pages.prototype, 'closed') as { value: () => unknown }).value;
const guardOf = (of: TinyApp, guard: Type<IAuthGuard>) => of.nest.get(ModuleRef).create(guard);

describe('@RequireRoles()', () => {
  it.each([
    ['/editors', ['editor'], 200],
    ['/editors', ['admin'], 200],
    ['/editors', ['viewer'], 403],
    ['/editors', undefined, 403],
    ['/admin', ['admin'], 200],
    ['/admin', ['editor'], 403],
    ['/admin/help', ['editor'], 200],
    ['/admin/help', ['admin'], 403],
  ])('leads on %s with the roles %j to %i', async (path, roles, status) => {
    app = await TinyApp.start({ auth: withRoles, controllers: [Pages, AdminPages] });
    const body = bodyOf(
      await app.get(path, { cookie: await app.loginAs(roles ? { roles } : {}) }).expect(status),
    );
    if (status === 403)
      expect(body).toEqual({
        statusCode: 403,
        code: 'AUTH_ROLES_REQUIRED',
        message: 'This needs a role you do not have',
      });
  });

  it('compares with the member of the user that a decorator of another package names, else with `roles`', async () => {
    const InTeams = (...roles: string[]) =>
      applyDecorators(RequireRoles(...roles), SetMetadata(ROLES_MEMBER_KEY, 'teamRoles'));

    @Controller('teams')
    @InTeams('admin')
    class Teams {
      @Get()
      all() {
        return {};
      }

      @Get('own')
      @RequireRoles('admin')
      own() {
        return {};
      }
    }
    const user = { id: 'u1', roles: ['editor'], teamRoles: ['admin'] };
    const callbacks = { session: ({ session }: { session: Session }) => ({ ...session, user }) } as never;
    app = await TinyApp.start({ auth: { callbacks }, controllers: [Teams] });
    const cookie = await app.loginAs();
    await app.get('/teams', { cookie }).expect(200);
    await app.get('/teams/own', { cookie }).expect(403);
    await app.close();
    app = await TinyApp.start({ auth: withRoles, controllers: [Teams] });
    await app.get('/teams', { cookie: await app.loginAs({ roles: ['admin'] }) }).expect(200);
    await app.get('/teams', { cookie: await app.loginAs({ roles: ['editor'] }) }).expect(403);
  });

  it('is refused with the error of the option `rolesRefusal`, if that returns one', async () => {
    const asked: unknown[] = [];
    const rolesRefusal = (roles: readonly string[], user: object) => {
      asked.push([roles, (user as AuthUser).roles]);
      return roles.includes('editor') ? new ConflictException('Choose first') : undefined;
    };
    app = await TinyApp.start({ auth: { ...withRoles, rolesRefusal }, controllers: [Pages, AdminPages] });
    const cookie = await app.loginAs({ roles: ['viewer'] });
    await app.get('/editors', { cookie }).expect(409);
    await app.get('/admin', { cookie }).expect(403);
    await app.get('/editors', program).expect(401);
    expect(asked).toEqual([
      [['editor', 'admin'], ['viewer']],
      [['admin'], ['viewer']],
    ]);
  });

  it('leads to 401 without a session', async () => {
    app = await TinyApp.start({ config: { globalGuard: false }, controllers: [AdminPages] });
    await app.get('/admin', program).expect(401);
  });
});

describe('AuthMiddleware', () => {
  it('responds on routes that an application configures', async () => {
    @Module({ imports: [AuthModule.register(options, { basePath: '/unused' })] })
    class Program implements NestModule {
      configure(consumer: MiddlewareConsumer) {
        consumer.apply(AuthMiddleware).forRoutes('unused/providers', 'unused/nonsense');
      }
    }
    app = await TinyApp.start({ imports: [Program] });
    const body = bodyOf(await app.get('/unused/providers').expect(200));
    expect(body).toHaveProperty('idp');
    await app.get('/unused/nonsense').expect(404);
  });
});

describe('of the exported functions,', () => {
  it('toWebRequest() converts a request of Node.js', async () => {
    const request = toWebRequest(
      {
        method: 'POST',
        url: '/x?y=1',
        headers: {
          host: 'evil.example',
          'content-type': 'application/x-www-form-urlencoded',
          'x-list': ['a', 'b'] as never,
        },
        body: { a: '1', b: ['2', '3'] },
      },
      'https://app.example',
    );
    expect(request.url).toBe('https://app.example/x?y=1');
    expect(request.headers.get('x-list')).toBe('a, b');
    expect(await request.text()).toBe('a=1&b=2&b=3');
  });

  it.each([
    ['application/json', { a: 1 }, '{"a":1}'],
    ['text/plain', 'text', 'text'],
    ['application/octet-stream', Buffer.from('bytes'), 'bytes'],
    ['text/plain', undefined, ''],
  ])('toWebRequest() keeps a body of the type %s', async (type, body, text) => {
    const request = toWebRequest(
      { method: 'PUT', url: '/', headers: { 'content-type': type }, body },
      'https://app.example',
    );
    expect(await request.text()).toBe(text);
  });

  it.each([
    ['/path?query#hash', '/path?query#hash'],
    ['/', '/'],
    ['https://app.example/path', '/path'],
    ['/%2f%2fevil.example', '/%2f%2fevil.example'],
    ['/path/../other', '/other'],
  ])('localPath() returns a path of this origin for %s', (target, path) => {
    expect(localPath(target, 'https://app.example')).toBe(path);
  });

  it.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/.//evil.example',
    '/a/..//evil.example',
    '/\t/evil.example',
    '\t//evil.example',
    '/\n/evil.example',
    ' /path',
    '%2f%2fevil.example',
    'path',
    '',
    'javascript:alert(1)',
    'data:text/html,x',
    'https:evil.example',
    'https://evil.example',
    'https://app.example.evil.example/',
    'https://app.example@evil.example/',
    'https://user@app.example/',
    'https://user:password@app.example/',
    'https://app.example:8443/',
    'http://app.example/',
    'https://[',
    'ftp://app.example/',
    undefined,
    ['/path'],
  ])('localPath() returns undefined for %j', (target) => {
    expect(localPath(target, 'https://app.example')).toBeUndefined();
  });

  it.each([
    [{}, false],
    [{ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }, true],
    [{ accept: '*/*' }, false],
    [{ accept: 'application/json, text/html;q=0' }, false],
    [{ accept: 'text/html, */*', 'x-requested-with': 'XMLHttpRequest' }, false],
    [{ accept: 'text/html', 'sec-fetch-mode': 'cors' }, false],
    [{ accept: '*/*', 'sec-fetch-mode': 'navigate', 'x-requested-with': 'com.example.webview' }, true],
  ])('isPageRequest() returns for the headers %j: %s', (headers, isPage) => {
    expect(isPageRequest(headers)).toBe(isPage);
  });
});
