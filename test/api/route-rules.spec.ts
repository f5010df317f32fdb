import { Public, RequireRoles } from '@mridang/nestjs-auth';
import { ZitadelApiModule } from '@mridang/nestjs-zitadel';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readApiEnv } from '../../src/config/api-env.js';
import { BearerGuard } from '../../packages/nestjs-zitadel/src/bearer/bearer.guard.js';
import { now } from '../support/now.js';
import { Caller } from '../../packages/nestjs-zitadel/src/bearer/caller.js';
import {
  RequireFactors,
  RequireFreshSignIn,
} from '../../packages/nestjs-zitadel/src/fresh-sign-in/fresh-sign-in.decorators.js';
import { FreshToken, Scopes } from '../../packages/nestjs-zitadel/src/bearer/route.decorators.js';
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
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  recent() {
    return 'recent';
  }

  @Get('fresh')
  @FreshToken()
  fresh() {
    return 'fresh';
  }

  @Get('factors')
  @RequireFactors('mfa', 'otp')
  factors() {
    return 'factors';
  }
}

@Controller('strict')
@Scopes('read')
@RequireFreshSignIn({ maxAgeSeconds: 60 })
@FreshToken()
class StrictRoutes {
  @Get('read')
  read() {
    return 'read';
  }

  @Get('write')
  @Scopes('write')
  @RequireFreshSignIn({ maxAgeSeconds: 3_600 })
  write() {
    return 'written';
  }

  @Get('public')
  @Public()
  open() {
    return 'open';
  }
}

@Controller('default-age')
@RequireFreshSignIn()
class DefaultAge {
  @Get()
  show() {
    return 'shown';
  }
}

@Controller('own-guard')
class OwnGuardRoutes {
  @Get('above')
  @UseGuards(BearerGuard)
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  above() {
    return 'above';
  }

  @Get('below')
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  @UseGuards(BearerGuard)
  below() {
    return 'below';
  }
}

let idp: Introspector;
let api: RunningApi;
let count = 0;

beforeAll(async () => {
  idp = await startIntrospector();
  api = await startApi(idp.env, [
    OpenRoutes,
    ClosedRoutes,
    DefaultRoutes,
    MixedRoutes,
    StrictRoutes,
    DefaultAge,
  ]);
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

it.each(['above', 'below'])(
  'a guard for tokens of the route itself compares the age of the sign-in, %s @RequireFreshSignIn()',
  async (path) => {
    const env = readApiEnv({ NODE_ENV: 'test', ...idp.env });
    const module = await Test.createTestingModule({
      imports: [
        ZitadelApiModule.registerAsync(
          { useFactory: () => ({ ...env.zitadel, ...env }) },
          { globalGuard: false },
        ),
      ],
      controllers: [OwnGuardRoutes],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    await app.listen(0);
    const url = `${(await app.getUrl()).replace('[::1]', 'localhost')}/own-guard/${path}`;
    const ask = async (age: number) => {
      idp.answer = () => idp.active({ auth_time: now() - age });
      return (await fetch(url, { headers: { authorization: `Bearer token-${count++}` } })).status;
    };
    expect([(await fetch(url)).status, await ask(0), await ask(4_000)]).toEqual([401, 200, 401]);
    await app.close();
  },
);

describe('a class with @Public()', () => {
  it('has public routes without a caller', async () => {
    const answer = await api.get('/mixed/open', 'token');
    expect([answer.status, await answer.json()]).toEqual([200, { caller: null }]);
  });

  it.each(['role', 'scope', 'recent', 'fresh', 'factors'])(
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

describe('@RequireFactors()', () => {
  it('admits callers whose token has all of the factors in `amr`', async () => {
    expect(await statusOf('/mixed/factors', { amr: ['pwd', 'otp', 'mfa'] })).toBe(200);
    for (const amr of [['pwd'], ['user', 'mfa'], 'mfa otp', null, undefined])
      expect(await statusOf('/mixed/factors', { amr })).toBe(401);
  });

  it('answers others with a challenge without an age', async () => {
    const answer = await call('/mixed/factors', { amr: ['pwd'], auth_time: now() });
    expect(answer.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", error_description="This needs a login with: mfa, otp"',
    );
    expect(await answer.json()).toMatchObject({ statusCode: 401, code: 'API_FACTORS_REQUIRED' });
  });

  it('compares with the factors that the handler gets with the caller', async () => {
    const answer = await call('/api/v1/caller', { amr: ['user', 'mfa'] });
    expect(await answer.json()).toMatchObject({ factors: ['user', 'mfa'] });
  });

  it('throws for no factor, and for one that is no name', () => {
    for (const factors of [[], ['a b'], [''], ['mfa', '"']])
      expect(() => RequireFactors(...(factors as [string]))).toThrow(TypeError);
  });
});

describe('@RequireFreshSignIn()', () => {
  it.each([0, -1, 1.5, NaN, Infinity, 1e9])('throws for an age of %d seconds', (maxAgeSeconds) => {
    expect(() => RequireFreshSignIn({ maxAgeSeconds })).toThrow(TypeError);
  });

  it('requires a login of the last five minutes where no other age is given', async () => {
    expect(await statusOf('/default-age', { auth_time: now() - 350 })).toBe(200);
    const answer = await call('/default-age', { auth_time: now() - 370 });
    expect(answer.headers.get('www-authenticate')).toContain('max_age="300"');
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
