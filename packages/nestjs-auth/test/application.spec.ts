import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  Module,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
  VersioningType,
  type ArgumentsHost,
  type CanActivate,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Response } from 'express';
import { lastValueFrom, type Observable } from 'rxjs';
import {
  AuthFilter,
  AuthGuard,
  AuthModule,
  AuthSession,
  Public,
  RequireRoles,
  RolesGuard,
  RolesRequired,
  SessionEnded,
  SessionRequired,
  type AuthenticatedRequest,
  type HttpRequest,
  type Session,
} from '../src/index.js';
import { options, program, TinyApp } from './support/tiny-app.js';

let app: TinyApp;
afterEach(() => app?.close());

@Controller()
class Pages {
  @Get('closed')
  closed(@AuthSession() session: Session) {
    return { name: session.user.name };
  }

  @Get('admin')
  @RequireRoles('admin')
  admin() {
    return 'admin';
  }

  @Get('open-for-others')
  @SetMetadata('isPublic', true)
  openForOthers() {
    return 'not open';
  }
}

/** As in the documentation of Nest. */
@Catch(HttpException)
class HttpExceptionFilter implements ExceptionFilter {
  catch(exception: HttpException, host: ArgumentsHost) {
    const statusCode = exception.getStatus();
    host
      .switchToHttp()
      .getResponse<Response>()
      .status(statusCode)
      .json({ statusCode, by: 'the application' });
  }
}

describe('the exception filters of an application', () => {
  it.each([
    [
      'useGlobalFilters()',
      { setup: (nest: TinyApp['nest']) => void nest.useGlobalFilters(new HttpExceptionFilter()) },
    ],
    ['APP_FILTER', { providers: [{ provide: APP_FILTER, useClass: HttpExceptionFilter }] }],
  ])('run after the filter of the module when they are set by %s', async (_name, given) => {
    app = await TinyApp.start({ controllers: [Pages], ...given });
    const { headers } = await app.page('/closed').expect(302);
    expect(headers['location']).toBe('/auth/signin?callbackUrl=%2Fclosed');
    await app.get('/nowhere').expect(404, { statusCode: 404, by: 'the application' });
    const cookie = await app.loginAs();
    await app.get('/admin', { cookie }).expect(403, { statusCode: 403, by: 'the application' });
  });

  it('can handle the exceptions of the module as UnauthorizedException and ForbiddenException', () => {
    expect(new SessionRequired('/')).toBeInstanceOf(UnauthorizedException);
    expect(new SessionEnded('revoked')).toBeInstanceOf(UnauthorizedException);
    expect(new RolesRequired(['admin'])).toBeInstanceOf(ForbiddenException);
  });

  it('get the exception of the module in contexts without a response', async () => {
    app = await TinyApp.start({});
    const filter = app.nest.get(AuthFilter);
    const error = new SessionRequired('/');
    const host = new ExecutionContextHost([]);
    host.setType('graphql');
    expect(() => filter.catch(error, host)).toThrow(error);
    host.setType('rpc');
    const refusal = lastValueFrom(filter.catch(error, host) as Observable<unknown>);
    await expect(refusal).rejects.toMatchObject({ code: 'AUTH_SESSION_REQUIRED' });
  });
});

describe('the order of imports', () => {
  @Public()
  @Controller('auth')
  class OwnPages {
    @Get('signin')
    signIn() {
      return 'own sign-in page';
    }

    @Get('callback/idp')
    callback() {
      return 'own callback';
    }
  }
  @Module({ controllers: [OwnPages] })
  class OwnModule {}
  const auth = (): DynamicModule => AuthModule.register(options);

  it.each([
    ['before', () => [OwnModule, auth()]],
    ['after', () => [auth(), OwnModule]],
  ])('does not matter: own routes take precedence %s AuthModule', async (_name, imports) => {
    app = await TinyApp.start({ imports: imports() });
    await app.get('/auth/signin').expect(200, 'own sign-in page');
    await app.get('/auth/callback/idp').expect(200, 'own callback');
    await app.get('/auth/providers').expect(200);
  });
});

describe('the metadata "isPublic" of another guard', () => {
  it('makes no route public', async () => {
    app = await TinyApp.start({ controllers: [Pages] });
    await app.get('/open-for-others', program).expect(401);
  });
});

describe('roles set by a guard of the application', () => {
  @Injectable()
  class ApiKeyGuard implements CanActivate {
    canActivate(context: ExecutionContext) {
      const request = context.switchToHttp().getRequest<HttpRequest & { user?: unknown }>();
      const key = request.headers['x-api-key'];
      if (key) request.user = { id: 'service', roles: [key].flat() };
      return true;
    }
  }

  @Controller()
  class Api {
    @Get('admin')
    @RequireRoles('admin')
    admin() {
      return 'admin';
    }

    @Get('open-admin')
    @Public()
    @RequireRoles('admin')
    openAdmin() {
      return 'admin';
    }

    @Get('closed')
    closed() {
      return 'closed';
    }
  }

  @Module({ providers: [{ provide: APP_GUARD, useClass: ApiKeyGuard }] })
  class GuardModule {}

  it.each([
    [
      'after the guards of the module, of useGlobalGuards()',
      { setup: (nest: TinyApp['nest']) => void nest.useGlobalGuards(new ApiKeyGuard()) },
    ],
    ['in a module imported after', { imports: [AuthModule.register(options), GuardModule] }],
    ['before the guards of the module', { providers: [{ provide: APP_GUARD, useClass: ApiKeyGuard }] }],
    ['in @UseGuards() with the guards of the module', { config: { globalGuard: false, rolesGuard: false } }],
  ])('satisfy @RequireRoles() without a session when the guard runs %s', async (_name, given) => {
    @UseGuards(ApiKeyGuard, AuthGuard(), RolesGuard)
    class OwnGuards extends Api {}
    const guarded = 'config' in given;
    app = await TinyApp.start({
      controllers: [guarded ? (Controller()(OwnGuards) ?? OwnGuards) : Api],
      ...given,
    });
    for (const path of ['/admin', '/open-admin']) {
      await app.get(path, { 'x-api-key': 'admin', ...program }).expect(200);
      await app.get(path, { 'x-api-key': 'editor', ...program }).expect(path === '/admin' ? 401 : 403);
      await app.get(path, program).expect(401);
    }
    // A route without roles needs a session.
    await app.get('/closed', { 'x-api-key': 'admin', ...program }).expect(401);
  });
});

describe('a global guard of the application', () => {
  it('gets the session when it stands after the module', async () => {
    const seen: unknown[] = [];
    const guard: CanActivate = {
      canActivate: (context) => {
        const { session, user } = context.switchToHttp().getRequest<AuthenticatedRequest>();
        return seen.push([session?.user.id ?? null, user?.name ?? null]) > 0;
      },
    };
    app = await TinyApp.start({
      controllers: [Pages],
      setup: (nest) => void nest.useGlobalGuards(guard),
    });
    await app.get('/closed', { cookie: await app.loginAs() }).expect(200);
    await app.get('/closed', program).expect(401);
    expect(seen).toEqual([
      ['u1', 'User'],
      [null, null],
    ]);
  });
});

describe('@RequireRoles() without a global session guard', () => {
  @Controller()
  class Own {
    @Get('admin')
    @UseGuards(AuthGuard())
    @RequireRoles('admin')
    admin(@AuthSession() session: Session) {
      return session.user.name;
    }

    @Get('roles-alone')
    @RequireRoles('admin')
    rolesAlone(@AuthSession() session: Session) {
      return session.user.name;
    }
  }

  it('is satisfied by the session of the request', async () => {
    app = await TinyApp.start({ config: { globalGuard: false }, controllers: [Own] });
    for (const path of ['/admin', '/roles-alone']) {
      await app.get(path, { cookie: await app.loginAs({ roles: ['admin'] }) }).expect(200, 'User');
      await app.get(path, { cookie: await app.loginAs(), ...program }).expect(403);
      await app.get(path, program).expect(401);
    }
  });

  it('tells a browser why its session has ended', async () => {
    app = await TinyApp.start({ config: { globalGuard: false }, controllers: [Own] });
    const cookie = await app.loginAs({ roles: ['admin'] });
    await app.resolved.revocations.revoke(app.resolved.codec.open(cookie.split('=')[1] ?? '') ?? {});
    const { headers } = await app.page('/admin', { cookie }).expect(302);
    expect(headers['location']).toBe('/auth/signin?callbackUrl=%2Fadmin&reason=revoked');
  });
});

describe('an application', () => {
  it('can version its own routes without changing those of the module', async () => {
    app = await TinyApp.start({
      controllers: [Pages],
      setup: (nest) => void nest.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    });
    await app.get('/auth/providers').expect(200);
    const { headers } = await app.page('/v1/closed').expect(302);
    expect(headers['location']).toBe('/auth/signin?callbackUrl=%2Fv1%2Fclosed');
  });

  it('can extend AuthGuard with a constructor of its own', async () => {
    @Injectable()
    class Tenants {
      readonly name = 'acme';
    }
    @Injectable()
    class TenantGuard extends AuthGuard() {
      constructor(private readonly tenants: Tenants) {
        super();
      }

      override getAuthenticateOptions() {
        return { property: this.tenants.name };
      }
    }
    @Controller()
    class Some {
      @Get('tenant')
      @UseGuards(TenantGuard)
      tenant() {
        return 'tenant';
      }
    }
    app = await TinyApp.start({
      config: { globalGuard: false },
      controllers: [Some],
      providers: [Tenants],
    });
    await app.get('/tenant', program).expect(401);
    await app.get('/tenant', { cookie: await app.loginAs() }).expect(200);
  });

  it('cannot register the module twice', async () => {
    const other = AuthModule.register({ ...options, property: 'other' }, { basePath: '/other' });
    await expect(TinyApp.start({ imports: [AuthModule.register(options), other] })).rejects.toThrow(
      'registered more than once',
    );
  });

  it('cannot import the module without options', async () => {
    await expect(TinyApp.start({ imports: [AuthModule] })).rejects.toThrow('Import `AuthModule.register(');
  });

  it('receives an event for every session that is read', async () => {
    const heard: unknown[] = [];
    const events = {
      session: ({ session, token }: { session: unknown; token: { sub?: string } }) =>
        void heard.push([(session as Session).user?.name, token.sub]),
    };
    app = await TinyApp.start({ auth: { events: events }, controllers: [Pages] });
    const cookie = await app.loginAs();
    await app.get('/closed', { cookie }).expect(200);
    await app.get('/auth/session', { cookie }).expect(200);
    await app.get('/closed', program).expect(401);
    expect(heard).toEqual([
      ['User', 'u1'],
      ['User', 'u1'],
    ]);
  });

  it('gets a response although its event handler throws, which is logged', async () => {
    const log: string[] = [];
    const session = () => {
      throw new Error('No answer from the database');
    };
    app = await TinyApp.start({ auth: { events: { session } }, controllers: [Pages], log });
    await app.get('/closed', { cookie: await app.loginAs() }).expect(200);
    expect(log.join()).toContain('No answer from the database');
  });
});
