import {
  Controller,
  Get,
  HttpCode,
  Injectable,
  Post,
  Req,
  Res,
  SetMetadata,
  UnauthorizedException,
} from '@nestjs/common';
import { APP_GUARD, ModuleRef, Reflector } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AuthGuard,
  AuthSession,
  CsrfService,
  Public,
  RequireRoles,
  SessionService,
  type AuthenticatedRequest,
  type AuthUser,
  type HttpRequest,
  type HttpResponse,
  type OtherCredentials,
  type Session,
} from '../src/index.js';
import { bodyOf, program, sessionCookies, TinyApp } from './support/tiny-app.js';
import { moveTime } from '../../../test/support/move-time.js';

let app: TinyApp;
afterEach(() => app?.close());

const reflector = new Reflector();
const Takes = (how: 'beside' | 'alone') => SetMetadata('takes', how);

@Controller()
class Routes {
  constructor(private readonly sessions: SessionService) {}

  @Get('both')
  @Takes('beside')
  both(@Req() { user }: { user?: AuthUser }, @AuthSession() session: Session | null) {
    return { user: user?.id, session: session?.user.id ?? null, roles: user?.roles ?? [] };
  }

  @Post('both')
  @HttpCode(200)
  @Takes('beside')
  change() {
    return 'changed';
  }

  @Get('admin')
  @Takes('beside')
  @RequireRoles('admin')
  admin() {
    return 'admin';
  }

  @Post('admin')
  @Takes('beside')
  @RequireRoles('admin')
  changeAsAdmin() {
    return 'changed';
  }

  @Get('alone')
  @Takes('alone')
  alone(@Req() { user }: { user?: AuthUser }) {
    return { user: user?.id };
  }

  @Get('later')
  @Takes('beside')
  async later(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    return { session: await this.sessions.load(request, response) };
  }

  @Get('open')
  @Public()
  @Takes('beside')
  open(@AuthSession() session: Session | null) {
    return { session: session?.user.id ?? null };
  }

  @Get('cookie')
  cookie(@AuthSession() { user }: Session) {
    return { user: user.id };
  }
}

/** API keys, which are the id of their user. */
const credentials: OtherCredentials = {
  name: 'API key',
  takenBy: ([handler]) => reflector.get<'beside' | 'alone' | undefined>('takes', handler),
  areIn: ({ headers }) => headers['x-api-key'] !== undefined,
  userOf: (_context, { headers }: HttpRequest, _response: HttpResponse) =>
    headers['x-api-key'] === 'known'
      ? Promise.resolve({ id: 'program', roles: ['admin'] } as AuthUser)
      : Promise.reject(new UnauthorizedException()),
};

/** `known` and `unknown` API keys, and a cookie. */
const [known, unknown] = ['known', 'unknown'].map((key) => ({ ...program, 'x-api-key': key }));

const start = (more: Partial<OtherCredentials> = {}, options: Parameters<typeof TinyApp.start>[0] = {}) =>
  TinyApp.start({
    controllers: [Routes],
    ...options,
    auth: { credentials: { ...credentials, ...more }, ...options.auth },
  });

describe.each([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('other credentials than the session cookie on %s', (_, adapter) => {
  it('decide alone about a request that has them', async () => {
    app = await start({}, { adapter: adapter() });
    const cookie = await app.loginAs();
    moveTime(400_000);
    const answer = await app.get('/both', { ...known, cookie });
    expect(bodyOf(answer)).toEqual({ user: 'program', session: null, roles: ['admin'] });
    expect(answer.headers['set-cookie']).toBeUndefined();
    const refused = await app.get('/both', { ...unknown, cookie });
    expect([refused.status, refused.headers['set-cookie']]).toEqual([401, undefined]);
    const byCookie = await app.get('/both', { ...program, cookie });
    expect(bodyOf(byCookie)).toEqual({ user: 'u1', session: 'u1', roles: [] });
    expect(Object.keys(sessionCookies(byCookie.headers))).toHaveLength(1);
  });

  it('keep the cookie unread also where the handler asks for the session', async () => {
    app = await start({}, { adapter: adapter() });
    const cookie = await app.loginAs();
    moveTime(400_000);
    const answer = await app.get('/later', { ...known, cookie });
    expect([bodyOf(answer), answer.headers['set-cookie']]).toEqual([{ session: null }, undefined]);
  });

  it('make the answer depend on both, and forbid to store it', async () => {
    app = await start({}, { adapter: adapter() });
    const fields = ({ headers }: { headers: Record<string, string> }) => [
      headers['vary'],
      headers['cache-control'],
    ];
    expect(fields(await app.get('/both', known))).toEqual(['Authorization, Cookie', 'no-store']);
    const cookie = await app.loginAs();
    expect(fields(await app.get('/cookie', { ...program, cookie }))).toEqual([undefined, undefined]);
  });
});

describe('a route that takes other credentials', () => {
  it('asks for the CSRF token of a request with the cookie that changes something', async () => {
    app = await start();
    const request: HttpRequest = { method: 'GET', url: '/', headers: {} };
    const lines: string[] = [];
    const response = {
      getHeader: () => lines,
      setHeader: (_: string, value: string[]) => lines.push(...value),
    };
    const token = app.nest.get(CsrfService).token(request, response as unknown as HttpResponse);
    const cookie = `${await app.loginAs()}; ${String(lines[0]).split(';')[0]}`;
    expect((await app.post('/both', {}, { ...program, cookie })).status).toBe(403);
    expect((await app.post('/both', {}, { ...program, cookie, 'x-csrf-token': 'other' })).status).toBe(403);
    expect((await app.post('/both', {}, { ...program, cookie, 'x-csrf-token': token })).status).toBe(200);
    expect((await app.post('/both', { csrfToken: token }, { ...program, cookie })).status).toBe(200);
    expect((await app.post('/both', {}, { ...known, cookie })).status).toBe(200);
  });

  it('names its challenge to programs without credentials, and leads a browser to the sign-in page', async () => {
    const refusals: unknown[] = [];
    app = await start({ challenge: 'Key' }, { auth: { refused: (refusal) => void refusals.push(refusal) } });
    const answer = await app.get('/both', program);
    expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, 'Key']);
    expect(refusals).toEqual([
      expect.objectContaining({ needed: { credentials: ['session', 'API key'] }, held: { session: 'none' } }),
    ]);
    const page = await app.page('/both');
    expect([page.status, page.headers['www-authenticate']]).toEqual([302, undefined]);
    const cookie = await app.get('/cookie', program);
    expect([cookie.status, cookie.headers['www-authenticate']]).toEqual([401, undefined]);
  });

  it('never reads the cookie where they count alone', async () => {
    app = await start();
    const cookie = await app.loginAs();
    expect((await app.get('/alone', { ...program, cookie })).status).toBe(401);
    expect(bodyOf(await app.get('/alone', { ...known, cookie }))).toEqual({ user: 'program' });
  });

  it('stays public with @Public()', async () => {
    app = await start();
    const cookie = await app.loginAs();
    const answer = await app.get('/open', { ...unknown, cookie });
    expect([answer.status, bodyOf(answer)]).toEqual([200, { session: 'u1' }]);
  });

  it('gets the user that the option makes of the user of the session', async () => {
    app = await start({ sessionUser: (user) => ({ ...user, roles: ['admin'] }) });
    const cookie = await app.loginAs();
    expect(bodyOf(await app.get('/both', { ...program, cookie }))).toMatchObject({ roles: ['admin'] });
    expect((await app.get('/admin', { ...program, cookie })).status).toBe(200);
  });

  it('compares roles with the user of either', async () => {
    app = await start();
    const cookie = await app.loginAs();
    expect((await app.get('/admin', { ...program, cookie })).status).toBe(403);
    expect((await app.get('/admin', { ...known, cookie })).status).toBe(200);
  });

  it('is guarded in the same way where another global guard is asked first', async () => {
    @Injectable()
    class Other {
      canActivate = () => true;
    }
    app = await start({}, { providers: [{ provide: APP_GUARD, useClass: Other }] });
    const cookie = await app.loginAs();
    moveTime(400_000);
    const answer = await app.get('/both', { ...known, cookie });
    expect([bodyOf(answer), answer.headers['set-cookie']]).toEqual([
      { user: 'program', session: null, roles: ['admin'] },
      undefined,
    ]);
  });

  it('leaves the user to an overridden `handleRequest`', async () => {
    @Injectable()
    class Named extends AuthGuard() {
      override handleRequest() {
        return { id: 'named' };
      }
    }
    app = await start(
      { sessionUser: (user) => ({ ...user, roles: ['admin'] }) },
      { config: { globalGuard: false }, providers: [{ provide: APP_GUARD, useClass: Named }] },
    );
    const cookie = await app.loginAs();
    expect(bodyOf(await app.get('/both', { ...program, cookie }))).toMatchObject({ user: 'named' });
    expect(bodyOf(await app.get('/both', program))).toMatchObject({ user: 'named', session: null });
    expect(bodyOf(await app.get('/both', known))).toMatchObject({ user: 'named', session: null });
  });

  it('is guarded by @RequireRoles() in the same way where the application has no global guard', async () => {
    app = await start(
      { challenge: 'Key', sessionUser: (user) => ({ ...user, roles: ['admin'] }) },
      { config: { globalGuard: false } },
    );
    const cookie = await app.loginAs();
    expect((await app.get('/admin', { ...program, cookie })).status).toBe(200);
    expect((await app.get('/admin', known)).status).toBe(200);
    expect((await app.get('/admin', { ...unknown, cookie })).status).toBe(401);
    const refused = await app.get('/admin', program);
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, 'Key']);
    const answer = await app.post('/admin', {}, { ...program, cookie });
    expect([answer.status, bodyOf(answer)]).toEqual([
      403,
      expect.objectContaining({ message: expect.stringContaining('cookie') }),
    ]);
    expect((await app.post('/admin', {}, { ...known, cookie })).status).toBe(201);
  });

  it('takes them from the HTTP request of a GraphQL operation', async () => {
    app = await start();
    const fields = new Map<string, unknown>();
    const res = {
      getHeader: (name: string) => fields.get(name),
      setHeader: (name: string, value: unknown) => void fields.set(name, value),
    };
    const guard = await app.nest.get(ModuleRef).create(AuthGuard());
    const allowed = (headers: object) => {
      const req = { method: 'POST', url: '/graphql', headers };
      const { value } = Object.getOwnPropertyDescriptor(Routes.prototype, 'change') as { value: () => void };
      const context = new ExecutionContextHost([{}, {}, { req, res }, {}], Routes, value);
      context.setType('graphql');
      return guard.canActivate(context);
    };
    const cookie = await app.loginAs();
    expect(await allowed({ ...known, cookie })).toBe(true);
    await expect(allowed({ ...unknown, cookie })).rejects.toThrow(UnauthorizedException);
    await expect(allowed({ cookie })).rejects.toMatchObject({ code: 'AUTH_CSRF_COOKIE_MISSING' });
  });
});
