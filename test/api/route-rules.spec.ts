import { Public, RequireRoles } from '@mridang/nestjs-auth';
import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { now } from '../support/now.js';
import { Caller } from '../../packages/nestjs-zitadel/src/bearer/caller.js';
import { FreshToken, MaxAge, Scopes } from '../../packages/nestjs-zitadel/src/bearer/route.decorators.js';
import { startApi, type RunningApi } from '../support/start-api.js';
import { startIntrospector, type Introspector } from '../support/introspector.js';

abstract class Inherited {
  @Get('list')
  list() {
    return 'a list';
  }
}

@Controller('open')
@Public()
class OpenRoutes extends Inherited {}

@Controller('closed')
@RequireRoles('admin')
class ClosedRoutes extends Inherited {}

@Controller('default')
class DefaultRoutes extends Inherited {}

@Controller('mixed')
@Public()
class MixedRoutes {
  @Get('open')
  open(@Caller() caller: Caller | undefined) {
    return { caller: caller ?? null };
  }

  @Get('role')
  @RequireRoles('admin')
  role() {
    return 'role';
  }

  @Get('scope')
  @Scopes('read')
  scope() {
    return 'scope';
  }

  @Get('recent')
  @MaxAge(60)
  recent() {
    return 'recent';
  }

  @Get('fresh')
  @FreshToken()
  fresh() {
    return 'fresh';
  }
}

@Controller('strict')
@Scopes('read')
@MaxAge(60)
@FreshToken()
class StrictRoutes {
  @Get('read')
  read() {
    return 'read';
  }

  @Get('write')
  @Scopes('write')
  @MaxAge(3_600)
  write() {
    return 'written';
  }

  @Get('public')
  @Public()
  open() {
    return 'open';
  }
}

let idp: Introspector;
let api: RunningApi;
let count = 0;

beforeAll(async () => {
  idp = await startIntrospector();
  api = await startApi(idp.env, [OpenRoutes, ClosedRoutes, DefaultRoutes, MixedRoutes, StrictRoutes]);
});
afterAll(async () => {
  await api.close();
  await idp.close();
});

/** Sends a request with a new token that has `claims`. */
const call = (path: string, claims: object) => {
  idp.answer = () => idp.active(claims);
  return api.get(path, `token-${count++}`);
};
const statusOf = async (path: string, claims: object) => (await call(path, claims)).status;

it('a method inherited by several controllers has the rules of each controller', async () => {
  for (let round = 0; round < 2; round++) {
    expect((await api.get('/open/list')).status).toBe(200);
    expect((await api.get('/default/list')).status).toBe(401);
    expect((await api.get('/closed/list')).status).toBe(401);
    expect(await statusOf('/closed/list', {})).toBe(403);
    expect(await statusOf('/default/list', {})).toBe(200);
  }
});

describe('a class with @Public()', () => {
  it('has public routes without a caller', async () => {
    const answer = await api.get('/mixed/open', 'token');
    expect([answer.status, await answer.json()]).toEqual([200, { caller: null }]);
  });

  it.each(['role', 'scope', 'recent', 'fresh'])(
    'requires a token for a method with a rule of its own: %s',
    async (path) => {
      expect((await api.get(`/mixed/${path}`)).status).toBe(401);
    },
  );

  it('accepts a token that satisfies the rule of the method', async () => {
    expect(await statusOf('/mixed/scope', { scope: 'openid' })).toBe(403);
    expect(await statusOf('/mixed/scope', { scope: 'read' })).toBe(200);
  });
});

describe('the rules of a class', () => {
  it('apply to its methods', async () => {
    expect((await api.get('/strict/read')).status).toBe(401);
    expect(await statusOf('/strict/read', { auth_time: now(), scope: 'write' })).toBe(403);
    expect(await statusOf('/strict/read', { auth_time: now() - 120, scope: 'read' })).toBe(401);
    expect(await statusOf('/strict/read', { auth_time: now(), scope: 'read' })).toBe(200);
  });

  it('include @FreshToken(): each request is introspected', async () => {
    idp.answer = () => idp.active({ auth_time: now(), scope: 'read' });
    const before = idp.asked.length;
    for (let round = 0; round < 3; round++) expect((await api.get('/strict/read', 'same')).status).toBe(200);
    expect(idp.asked).toHaveLength(before + 3);
  });

  it('are overridden by the rules of a method, but scopes accumulate', async () => {
    const old = { auth_time: now() - 120 };
    expect(await statusOf('/strict/write', { ...old, scope: 'read write' })).toBe(200);
    for (const scope of ['read', 'write']) {
      const answer = await call('/strict/write', { ...old, scope });
      expect(answer.status).toBe(403);
      const [, named = ''] = /scope="([^"]*)"$/.exec(answer.headers.get('www-authenticate') ?? '') ?? [];
      expect(named.split(' ').sort()).toEqual(['read', 'write']);
    }
  });

  it('are not removed by @Public() on a method', async () => {
    expect((await api.get('/strict/public')).status).toBe(401);
  });
});

describe('@Scopes()', () => {
  it.each(['', 'a b', 'a"b', 'a\\b', 'a\nb', 'ä'])('throws for the scope %j', (scope) => {
    expect(() => Scopes('read', scope)).toThrow(/scope/);
  });

  it.each(['read', 'urn:zitadel:iam:org:project:id:1:aud', "!#$'[]~"])('accepts the scope %s', (scope) => {
    expect(() => Scopes(scope)).not.toThrow();
  });
});
