import { Controller, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { ModuleRef, Reflector } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  AuthGuard,
  Public,
  RequireRoles,
  RolesGuard,
  type AuthenticatedRequest,
  type IAuthGuard,
} from '../src/index.js';
import { requestOf } from '../src/http/request-of.js';
import { TinyApp } from './support/tiny-app.js';

let app: TinyApp;
afterEach(() => app?.close());

/** Handlers of any kind: what Nest passes to the guards of each is in `contexts`. */
@Controller()
class Handlers {
  member() {
    return 'member';
  }

  @RequireRoles('admin')
  admin() {
    return 'admin';
  }

  @Public()
  open() {
    return 'open';
  }
}

type Name = 'member' | 'admin' | 'open';

/** The arguments of each kind of handler, for a caller with these headers. */
const contexts: Record<string, [type: string, args: (headers: object) => unknown[]]> = {
  'GraphQL, Apollo on Express': [
    'graphql',
    (headers) => [{}, {}, { req: request(headers), res: response() }, {}],
  ],
  'GraphQL, Mercurius': [
    'graphql',
    (headers) => [{}, {}, { reply: { ...response(), request: request(headers) } }, {}],
  ],
  'GraphQL without a response': ['graphql', (headers) => [{}, {}, { req: request(headers) }, {}]],
  'GraphQL subscription': [
    'graphql',
    (headers) => [{}, {}, { req: { extra: { request: request(headers) } } }, {}],
  ],
  'WebSocket of Socket.IO': ['ws', (headers) => [{ handshake: { headers } }, 'data']],
  'WebSocket with its request': ['ws', (headers) => [{ request: request(headers) }, 'data']],
};
const request = (headers: object) => ({ method: 'POST', url: '/graphql', headers });
const response = () => {
  const fields = new Map<string, unknown>();
  return {
    getHeader: (name: string) => fields.get(name),
    setHeader: (name: string, value: unknown) => void fields.set(name, value),
    writeHead: () => undefined,
    fields,
  };
};

const handlerOf = (name: Name) =>
  (Object.getOwnPropertyDescriptor(Handlers.prototype, name) as { value: () => unknown }).value;

function contextOf(name: Name, type: string, args: unknown[]): ExecutionContext {
  const context = new ExecutionContextHost(args, Handlers, handlerOf(name));
  context.setType(type);
  return context;
}

/** As Nest: the guards one after the other. */
async function call(
  context: ExecutionContext,
  sessionGuard: Type<IAuthGuard> = AuthGuard(),
): Promise<string> {
  const guards: Type<CanActivate>[] = [sessionGuard, RolesGuard];
  for (const guard of guards) {
    const made = await app.nest.get(ModuleRef).create(guard);
    if (!(await made.canActivate(context))) return 'refused';
  }
  return (context.getHandler() as () => string)();
}

const withRoles = (roles?: string[]) => app.loginAs(roles ? { roles } : {});

describe.each(Object.entries(contexts))('a handler of the context "%s"', (_name, [type, args]) => {
  const callAs = (name: Name, cookie?: string) =>
    call(contextOf(name, type, args(cookie === undefined ? {} : { cookie })));

  it('is guarded by the session of its HTTP request', async () => {
    app = await TinyApp.start({});
    await expect(callAs('member')).rejects.toMatchObject({ code: 'AUTH_SESSION_REQUIRED' });
    expect(await callAs('member', await withRoles())).toBe('member');
    expect(await callAs('open')).toBe('open');
  });

  it('requires the roles of @RequireRoles()', async () => {
    app = await TinyApp.start({});
    await expect(callAs('admin')).rejects.toMatchObject({ code: 'AUTH_SESSION_REQUIRED' });
    await expect(callAs('admin', await withRoles(['editor']))).rejects.toMatchObject({
      code: 'AUTH_ROLES_REQUIRED',
    });
    expect(await callAs('admin', await withRoles(['admin']))).toBe('admin');
  });

  it('gets the session', async () => {
    app = await TinyApp.start({});
    const context = contextOf('member', type, args({ cookie: await withRoles() }));
    await call(context);
    expect(requestOf(context)?.session?.user.id).toBe('u1');
  });
});

describe.each([
  ['microservice', 'rpc', ['data', {}]],
  ['microservice without a context of its transport', 'rpc', ['data']],
  ['WebSocket of ws', 'ws', [{ send: () => undefined }, 'data']],
  ['GraphQL without HTTP', 'graphql', [{}, {}, undefined]],
])('a handler in a %s, without a session cookie,', (_name, type, args) => {
  it('is called unless it requires roles', async () => {
    app = await TinyApp.start({});
    expect(await call(contextOf('member', type, args))).toBe('member');
    expect(await call(contextOf('open', type, args))).toBe('open');
    await expect(call(contextOf('admin', type, args))).rejects.toMatchObject({
      code: 'AUTH_SESSION_REQUIRED',
    });
  });
});

describe('a context without an HTTP request', () => {
  @Injectable()
  class MetadataGuard extends AuthGuard() {
    override getRequest(context: ExecutionContext): AuthenticatedRequest {
      const { headers } = context.getArgByIndex<{ headers: { cookie: string } }>(1);
      return { method: 'GET', url: '/', headers };
    }
  }

  it('can get one from an extended guard', async () => {
    app = await TinyApp.start({});
    const given = (cookie: string) => contextOf('admin', 'rpc', ['data', { headers: { cookie } }]);
    expect(await call(given(await withRoles(['admin'])), MetadataGuard)).toBe('admin');
    await expect(call(given(''), MetadataGuard)).rejects.toMatchObject({ code: 'AUTH_SESSION_REQUIRED' });
  });
});

describe('a guard', () => {
  it('rethrows an error of handleRequest()', async () => {
    @Injectable()
    class BrokenGuard extends AuthGuard() {
      override handleRequest(): never {
        throw new TypeError('broken');
      }
    }
    app = await TinyApp.start({});
    const context = contextOf('member', 'ws', [{ handshake: { headers: {} } }]);
    await expect(call(context, BrokenGuard)).rejects.toThrow(new TypeError('broken'));
  });

  it('for roles can be used without the module', async () => {
    const guard = new RolesGuard(new Reflector());
    const asked = { headers: {}, url: '/', method: 'GET', user: { roles: ['admin'] } };
    expect(await guard.canActivate(contextOf('admin', 'http', [asked, {}]))).toBe(true);
    expect(() => guard.canActivate(contextOf('admin', 'http', [{ ...asked, user: {} }, {}]))).toThrow(
      'a role',
    );
    app = await TinyApp.start({});
  });
});

describe('a socket', () => {
  it('is refused with its next message after its session has ended', async () => {
    app = await TinyApp.start({});
    const client = { handshake: { headers: { cookie: await withRoles() } } };
    expect(await call(contextOf('member', 'ws', [client]))).toBe('member');
    const token = app.resolved.codec.open(client.handshake.headers.cookie.split('=')[1] ?? '');
    await app.resolved.revocations.revoke(token ?? {});
    await expect(call(contextOf('member', 'ws', [client]))).rejects.toMatchObject({
      code: 'AUTH_SESSION_REQUIRED',
    });
  });

  it('does not refresh tokens, because no response can set the cookie', async () => {
    let refreshes = 0;
    const refresh = {
      isDue: () => true,
      refresh: (token: object) => (refreshes++, Promise.resolve({ ...token })),
    };
    app = await TinyApp.start({ auth: { refresh } });
    const client = { handshake: { headers: { cookie: await withRoles() } } };
    expect(await call(contextOf('member', 'ws', [client]))).toBe('member');
    expect(refreshes).toBe(0);
  });
});

describe('a handler of a WebSocket gateway', () => {
  const guardsOf = (handler: () => string) =>
    (Reflect.getMetadata('__guards__', handler) ?? []) as CanActivate[];

  /** With the metadata of `@nestjs/websockets`: Nest 11 runs only the guards in the metadata of a handler. */
  function gateway() {
    @Injectable()
    class Gateway {
      member(this: void) {
        return 'member';
      }

      @RequireRoles('admin')
      admin(this: void) {
        return 'admin';
      }

      @Public()
      open(this: void) {
        return 'open';
      }
    }
    const { member, admin, open } = Gateway.prototype;
    Reflect.defineMetadata('websockets:is_gateway', true, Gateway);
    for (const handler of [member, admin, open]) Reflect.defineMetadata('message', 'name', handler);
    return { Gateway, member, admin, open };
  }

  async function send(owner: Type, handler: () => string, cookie?: string) {
    const client = { handshake: { headers: cookie === undefined ? {} : { cookie } } };
    const context = new ExecutionContextHost([client, 'data'], owner, handler);
    context.setType('ws');
    for (const guard of guardsOf(handler)) await guard.canActivate(context);
    return [handler(), requestOf(context)?.session?.user.id ?? null];
  }

  it('is guarded without @RequireRoles(), too', async () => {
    const { Gateway, member, admin, open } = gateway();
    app = await TinyApp.start({ providers: [Gateway] });
    await expect(send(Gateway, member)).rejects.toMatchObject({ code: 'AUTH_SESSION_REQUIRED' });
    expect(await send(Gateway, member, await withRoles())).toEqual(['member', 'u1']);
    expect(await send(Gateway, open)).toEqual(['open', null]);
    expect(await send(Gateway, open, await withRoles())).toEqual(['open', 'u1']);
    await expect(send(Gateway, admin, await withRoles())).rejects.toMatchObject({
      code: 'AUTH_ROLES_REQUIRED',
    });
  });

  it('is guarded with @RequireRoles() alone where there is no global guard', async () => {
    const { Gateway, member, admin } = gateway();
    app = await TinyApp.start({ providers: [Gateway], config: { globalGuard: false } });
    expect(await send(Gateway, member)).toEqual(['member', null]);
    await expect(send(Gateway, admin)).rejects.toMatchObject({ code: 'AUTH_SESSION_REQUIRED' });
  });
});

it('requestOf() returns undefined when no guard has read a session', () => {
  expect(requestOf(contextOf('member', 'ws', [{}]))).toBeUndefined();
});
