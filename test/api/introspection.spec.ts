import { setTimeout as pause } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Controller, Get } from '@nestjs/common';
import { compactVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { now } from '../support/now.js';
import { Introspection } from '../../packages/nestjs-zitadel/src/bearer/introspection.js';
import { FreshToken, MaxAge, Scopes } from '../../packages/nestjs-zitadel/src/bearer/route.decorators.js';
import { startApi, type RunningApi } from '../support/start-api.js';
import { rawRequest } from '../support/raw-request.js';
import { startUnreachable } from '../support/unreachable.js';
import {
  clientId,
  projectId,
  publicKey,
  startIntrospector,
  type Introspector,
} from '../support/introspector.js';
import { moveTime } from '../support/move-time.js';

@Controller('more')
class MoreRoutes {
  @Get('fresh')
  @FreshToken()
  fresh() {
    return 'fresh';
  }

  @Get('scoped')
  @Scopes('read', 'write')
  scoped() {
    return 'scoped';
  }

  @Get('recent')
  @MaxAge(60)
  recent() {
    return 'recent';
  }
}

let idp: Introspector;
let api: RunningApi;

const active = (claims: object = {}) => idp.active(claims);

beforeEach(async () => {
  idp = await startIntrospector();
  api = await startApi(idp.env, [MoreRoutes]);
});
afterEach(async () => {
  jest.restoreAllMocks();
  await api.close();
  await idp.close();
});

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const statusFor = async (token: string) => (await api.get('/api/v1/app', token)).status;

describe('an introspection response', () => {
  it.each<[string, () => object]>([
    ['"true"', () => ({ active: 'true' })],
    ['"false"', () => ({ active: 'false' })],
    ['1', () => ({ active: 1 })],
    ['missing', () => ({ active: undefined })],
  ])('with `active` %s results in 503 with Retry-After', async (_name, claims) => {
    idp.answer = () => active(claims());
    const answer = await api.get('/api/v1/app', 'token');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it.each([
    ['plain text', { body: 'active', type: 'text/plain' }],
    ['empty', { body: '' }],
    ['a JSON list', { body: [] }],
    ['null', { body: 'null' }],
    ['400 with `active` true', { ...{ status: 400 }, body: { active: true, sub: 'u1', aud: [clientId] } }],
    ['401', { status: 401, body: { error: 'invalid_client' } }],
    ['500', { status: 500, body: {} }],
    ['a redirect (302)', { status: 302, body: '' }],
    ['larger than a megabyte', { body: `{"active":true,"x":"${'x'.repeat(1_100_000)}"}` }],
  ])('that is %s results in 503', async (_name, answer) => {
    idp.answer = () => answer;
    expect(await statusFor('token')).toBe(503);
  });

  it.each([
    [
      'a JWT',
      `${part({ typ: 'token-introspection+jwt' })}.${part({ token_introspection: { active: true } })}.c2ln`,
    ],
    ['JSON', { active: true, sub: 'u1', aud: [clientId] }],
  ])(
    'of the type application/token-introspection+jwt with %s as body results in 503',
    async (_name, body) => {
      idp.answer = () => ({ type: 'application/token-introspection+jwt', body });
      expect(await statusFor('token')).toBe(503);
    },
  );

  it.each(['application/json', 'Application/JSON; charset=utf-8'])(
    'of the type %s is accepted',
    async (type) => {
      idp.answer = () => ({ ...active(), type });
      expect(await statusFor('token')).toBe(200);
    },
  );

  it('is accepted with gzip encoding, and results in 503 when it is decoded to more than a megabyte', async () => {
    const gzip = (body: object) => ({
      body: gzipSync(JSON.stringify(body)),
      headers: { 'content-encoding': 'gzip' },
    });
    idp.answer = () => gzip(active().body as object);
    expect(await statusFor('token')).toBe(200);
    idp.answer = () => gzip({ ...(active().body as object), x: ' '.repeat(1_100_000) });
    expect(await statusFor('other')).toBe(503);
  });

  it('with `active` false results in 401 invalid_token', async () => {
    const answer = await api.get('/api/v1/app', 'token');
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer error="invalid_token"/);
  });

  it.each<[string, () => object]>([
    ['with this client as audience', () => ({ aud: [clientId] })],
    ['with this client as audience, as text', () => ({ aud: clientId })],
    ['with this project in its audience', () => ({ aud: ['other', projectId] })],
    [
      'without iss, nbf, exp and token_type',
      () => ({ iss: undefined, exp: undefined, token_type: undefined }),
    ],
    ['with a token_type in mixed case', () => ({ token_type: 'bEARER' })],
    ['with nbf 55 seconds in the future (clock tolerance is one minute)', () => ({ nbf: now() + 55 })],
    ['with exp 55 seconds ago (clock tolerance is one minute)', () => ({ exp: now() - 55 })],
  ])('%s is accepted', async (_name, claims) => {
    idp.answer = () => active(claims());
    expect(await statusFor('token')).toBe(200);
  });

  it.each<[string, () => object]>([
    ['with another audience', () => ({ aud: ['other'] })],
    ['without an audience', () => ({ aud: undefined })],
    [
      'with another project as audience, named by its scope',
      () => ({
        aud: ['9'],
        scope: 'urn:zitadel:iam:org:project:id:9:aud',
      }),
    ],
    ['with another issuer', () => ({ iss: `${idp.issuer}/` })],
    ['with exp 65 seconds ago', () => ({ exp: now() - 65 })],
    ['with an exp that is not a number', () => ({ exp: 'tomorrow' })],
    ['with nbf 65 seconds in the future', () => ({ nbf: now() + 65 })],
    ['without a sub', () => ({ sub: undefined })],
    ['with the token_type DPoP', () => ({ token_type: 'DPoP' })],
  ])('%s results in 401', async (_name, claims) => {
    idp.answer = () => active(claims());
    expect(await statusFor('token')).toBe(401);
  });
});

it('without IDP_PROJECT_ID, the project that the scope of the token names counts as audience', async () => {
  const other = await startApi({ ...idp.env, IDP_PROJECT_ID: '' });
  idp.answer = (token) => active({ aud: [token], scope: `urn:zitadel:iam:org:project:id:${projectId}:aud` });
  expect((await other.get('/api/v1/app', projectId)).status).toBe(200);
  expect((await other.get('/api/v1/app', 'another')).status).toBe(401);
  await other.close();
});

describe('an introspection request', () => {
  it('is signed with an assertion of the client for the issuer, with a kid, a jti and a lifetime of 300 seconds at most', async () => {
    idp.answer = () => active();
    await api.get('/api/v1/app', 'token');
    const [question] = idp.asked;
    expect(question?.form.get('client_assertion_type')).toBe(
      'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    );
    expect(question?.form.has('client_secret')).toBe(false);
    expect(question?.header).toMatchObject({ alg: 'RS256', kid: 'key-1' });
    const { iss, sub, aud, jti, iat = 0, exp = 0 } = question?.assertion ?? {};
    expect({ iss, sub, aud }).toEqual({ iss: clientId, sub: clientId, aud: idp.issuer });
    expect(jti).toMatch(/^[0-9a-f-]{36}$/);
    expect(exp - iat).toBeLessThanOrEqual(300);
    // Zitadel refuses an assertion issued two seconds in the future; this clock may be a minute ahead.
    expect(now() - iat).toBeGreaterThanOrEqual(65);
    expect(exp - now()).toBeGreaterThan(200);
  });

  it('reuses the assertion for minutes and has a new jti after 200 seconds', async () => {
    idp.answer = () => active();
    await api.get('/api/v1/app', 'one');
    await api.get('/api/v1/app', 'two');
    moveTime(200_000);
    await api.get('/api/v1/app', 'three');
    const [one, two, three] = idp.asked.map(({ assertion }) => assertion.jti);
    expect(two).toBe(one);
    expect(three).not.toBe(one);
  });

  it('is signed with the key of this API', async () => {
    idp.answer = () => active();
    await api.get('/api/v1/app', 'token');
    const assertion = idp.asked[0]?.form.get('client_assertion') ?? '';
    await expect(compactVerify(assertion, publicKey)).resolves.toBeDefined();
  });

  it('leads to one metadata request per hour', async () => {
    idp.answer = () => active();
    for (const token of ['one', 'two', 'three']) await statusFor(token);
    moveTime(59 * 60_000);
    await statusFor('four');
    expect(idp.discoveries).toBe(1);
    moveTime(2 * 60_000);
    await Promise.all(['five', 'six', 'seven'].map(statusFor));
    await pause(100);
    await statusFor('eight');
    expect(idp.discoveries).toBe(2);
  });
});

describe('in the introspection cache,', () => {
  it('an active token is not introspected again for a minute', async () => {
    idp.answer = () => active();
    await statusFor('token');
    moveTime(59_000);
    expect(await statusFor('token')).toBe(200);
    expect(idp.asked).toHaveLength(1);
  });

  it('an active token is introspected again after a minute, and a revoked one gets 401 then', async () => {
    idp.answer = () => active();
    await statusFor('token');
    idp.answer = () => ({ body: { active: false } });
    moveTime(61_000);
    expect(await statusFor('token')).toBe(401);
  });

  it('an active token is not kept beyond its exp', async () => {
    idp.answer = () => active({ exp: now() + 20 });
    expect(await statusFor('token')).toBe(200);
    idp.answer = () => ({ body: { active: false } });
    moveTime(21_000);
    expect(await statusFor('token')).toBe(401);
  });

  it('an active token whose exp is past by the local clock is not kept', async () => {
    idp.answer = () => active({ exp: now() - 30 });
    expect(await statusFor('token')).toBe(200);
    idp.answer = () => ({ body: { active: false } });
    expect(await statusFor('token')).toBe(401);
  });

  it('an inactive token is kept for 10 seconds only', async () => {
    await statusFor('token');
    await statusFor('token');
    expect(idp.asked).toHaveLength(1);
    idp.answer = () => active();
    moveTime(11_000);
    expect(await statusFor('token')).toBe(200);
  });

  it('an inactive token is not kept when it was active within the last ten seconds', async () => {
    idp.answer = () => active();
    expect(await statusFor('token')).toBe(200);
    moveTime(55_000);
    expect(await statusFor('token')).toBe(200);
    moveTime(6_000);
    idp.answer = () => ({ body: { active: false } });
    expect(await statusFor('token')).toBe(401);
    idp.answer = () => active();
    expect(await statusFor('token')).toBe(200);
    idp.answer = () => ({ body: { active: false } });
    moveTime(61_000);
    expect(await statusFor('token')).toBe(401);
    idp.answer = () => active();
    expect(await statusFor('token')).toBe(401);
  });

  it('an entry is bypassed on routes with @FreshToken() and updated for all others', async () => {
    idp.answer = () => active();
    expect(await statusFor('token')).toBe(200);
    expect((await api.get('/more/fresh', 'token')).status).toBe(200);
    idp.answer = () => ({ body: { active: false } });
    expect((await api.get('/more/fresh', 'token')).status).toBe(401);
    expect(await statusFor('token')).toBe(401);
  });

  it('an entry is stored under the SHA-256 of its token, and the token itself is not stored', async () => {
    const keep = jest.spyOn(LRUCache.prototype, 'set');
    idp.answer = () => active();
    await statusFor('a-token');
    const [key, kept] = keep.mock.calls.at(-1) ?? [];
    expect(key).toBe(createHash('sha256').update('a-token').digest('base64'));
    expect(JSON.stringify(kept)).not.toContain('a-token');
  });

  it('only the latest 10,000 tokens are kept', async () => {
    const keep = jest.spyOn(LRUCache.prototype, 'set');
    idp.answer = () => active();
    await statusFor('token');
    const cache = keep.mock.contexts.at(-1) as LRUCache<string, object>;
    for (let count = 0; count < 10_000; count++) cache.set(`another-${count}`, { until: 0 });
    expect(cache.size).toBe(10_000);
    await statusFor('token');
    expect(idp.asked).toHaveLength(2);
  });

  it('a hundred concurrent requests with one token share one introspection request', async () => {
    idp.answer = () => ({ ...active(), delayMs: 2_000 });
    const statuses = await Promise.all(Array.from({ length: 100 }, () => statusFor('token')));
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(idp.asked).toHaveLength(1);
  });

  it('a hundred concurrent requests with one token share one introspection request on routes with @FreshToken(), too', async () => {
    idp.answer = () => ({ ...active(), delayMs: 2_000 });
    expect(await statusFor('token')).toBe(200);
    const answers = await Promise.all(Array.from({ length: 100 }, () => api.get('/more/fresh', 'token')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(idp.asked).toHaveLength(2);
  });
});

describe('without a response from Zitadel,', () => {
  const closing: { close(): void }[] = [];
  afterEach(() => closing.splice(0).forEach((server) => server.close()));
  const unreachable = async () => {
    const server = await startUnreachable();
    closing.push(server);
    return server.origin;
  };
  const restarted = async (env: Record<string, string>) => {
    await api.close();
    api = await startApi({ ...idp.env, ...env }, [MoreRoutes]);
  };

  it('a caller gets 503 with Retry-After after INTROSPECTION_TIMEOUT', async () => {
    await restarted({ INTROSPECTION_TIMEOUT: '1' });
    idp.answer = () => ({ ...active(), delayMs: 60_000 });
    const answer = await api.get('/api/v1/app', 'token');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await answer.json()).toMatchObject({ statusCode: 503, code: 'API_INTROSPECTION_UNAVAILABLE' });
    idp.answer = () => active();
    expect(await statusFor('token')).toBe(200);
    expect(idp.asked).toHaveLength(2);
  });

  it('a caller is accepted after an introspection that takes 1.5 s', async () => {
    idp.answer = () => ({ ...active(), delayMs: 1_500 });
    expect(await Promise.all(['one', 'two', 'two'].map(statusFor))).toEqual([200, 200, 200]);
    expect(idp.asked).toHaveLength(2);
  });

  it('a caller gets 503 without waiting for INTROSPECTION_TIMEOUT when no connection is established within 750 ms', async () => {
    idp.endpoint = await unreachable();
    await restarted({ INTROSPECTION_TIMEOUT: '60' });
    expect(await Promise.all(['one', 'two', 'three'].map(statusFor))).toEqual([503, 503, 503]);
    expect(api.log.filter((line) => line.includes('no connection to Zitadel'))).toEqual([
      expect.stringMatching(
        /^warn Callers got 503 without waiting for Zitadel: no connection to Zitadel within 750 ms/,
      ),
    ]);
  });

  it('a caller gets 503 without waiting for INTROSPECTION_TIMEOUT when the metadata cannot be read', async () => {
    await restarted({ INTROSPECTION_TIMEOUT: '60', IDP_AUTHORITY: await unreachable() });
    expect(await statusFor('token')).toBe(503);
  });

  it('all callers but one get 503 at once while a single probe is in flight', async () => {
    await restarted({ INTROSPECTION_TIMEOUT: '60' });
    idp.answer = () => ({ status: 500, body: {} });
    for (let attempt = 0; attempt < 5; attempt++) expect(await statusFor(`token-${attempt}`)).toBe(503);
    idp.answer = () => ({ ...active(), delayMs: 60_000 });
    moveTime(6_000);
    expect(await Promise.all(['one', 'two', 'three'].map(statusFor))).toEqual([503, 503, 503]);
    expect(idp.asked).toHaveLength(6);
  });

  it('introspection pauses for five seconds after five failures', async () => {
    idp.answer = () => ({ status: 500, body: {} });
    for (let attempt = 0; attempt < 10; attempt++)
      expect(await statusFor(`token ${attempt}`.replace(' ', '-'))).toBe(503);
    expect(idp.asked).toHaveLength(5);
    idp.answer = () => active();
    expect(await statusFor('token')).toBe(503);
    moveTime(6_000);
    expect(await statusFor('token')).toBe(200);
  });

  it('ten requests in a row get 503, and the process keeps running', async () => {
    await idp.close();
    for (let attempt = 0; attempt < 10; attempt++) {
      expect(await statusFor(`token-${attempt}`)).toBe(503);
    }
    expect((await api.get('/api/v1/app')).status).toBe(401);
    idp = await startIntrospector();
  });

  it('a cached result stays valid', async () => {
    idp.answer = () => active();
    expect(await statusFor('known')).toBe(200);
    idp.answer = () => ({ status: 500, body: {} });
    for (let attempt = 0; attempt < 6; attempt++) expect(await statusFor(`other-${attempt}`)).toBe(503);
    expect(await statusFor('known')).toBe(200);
  });

  it('the 1,001st concurrent introspection gets 503 at once', async () => {
    idp.answer = () => active();
    const introspection = api.app.get(Introspection);
    const call = async (token: string) => introspection.callerOf(token);
    const waiting = Promise.allSettled(Array.from({ length: 1_000 }, (_, index) => call(`token-${index}`)));
    await expect(call('one-more')).rejects.toMatchObject({
      status: 503,
      cause: { message: '1000 introspections are in flight' },
    });
    await waiting;
    while ((await statusFor('one-more')) !== 200) await pause(100);
  });
});

describe('an access token', () => {
  it('is required: without one the response is 401 with WWW-Authenticate: Bearer', async () => {
    for (const authorization of [undefined, 'Basic dTpw', 'Token abc']) {
      const answer = await api.get('/api/v1/app', undefined, authorization ? { authorization } : {});
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      expect(await answer.json()).toMatchObject({ statusCode: 401, code: 'API_TOKEN_REQUIRED' });
    }
    expect(idp.asked).toHaveLength(0);
  });

  it.each(['Bearer a b', 'Bearer a,b', 'Bearer "a"', 'Bearer aü', 'Bearer a=b'])(
    'with invalid characters gets 401 without introspection (%#)',
    async (authorization) => {
      const answer = await api.get('/api/v1/app', undefined, {
        authorization: Buffer.from(authorization).toString('latin1'),
      });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
      expect(idp.asked).toHaveLength(0);
    },
  );

  it('may have 60,000 characters; headers beyond 65,536 bytes get 431, and the log names the limit', async () => {
    idp.answer = () => active();
    expect(await statusFor('a'.repeat(60_000))).toBe(200);
    const answer = await rawRequest(
      api.origin,
      `GET /api/v1/app HTTP/1.1\r\nAuthorization: Bearer ${'a'.repeat(66_000)}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 431 /);
    expect(answer).toContain('The headers are longer than 65536 bytes');
    expect(api.log).toContainEqual(expect.stringMatching(/^warn .*431.*65536 bytes/));
  });

  it('does not get the scopes that Zitadel lists for the roles of the project', async () => {
    const role = 'urn:zitadel:iam:org:project:role:';
    const keys = ['read', 'may write', 'write', 'team urn:zitadel:iam:user:metadata'];
    idp.answer = () => active({ scope: `openid ${keys.map((key) => role + key).join(' ')}` });
    const caller = (await (await api.get('/api/v1/caller', 'token')).json()) as { scopes: string[] };
    expect(caller.scopes).toEqual(['openid']);
    expect((await api.get('/more/scoped', 'token')).status).toBe(403);
    idp.answer = () => active({ scope: `read write ${role}x` });
    expect((await api.get('/more/scoped', 'other')).status).toBe(200);
  });

  it('with an actor gets 401, unless API_ACCEPT_IMPERSONATION=true; then the caller has the actor', async () => {
    const acting = active({ act: { iss: idp.issuer, sub: 'u2' } });
    idp.answer = () => acting;
    expect(await statusFor('token')).toBe(401);
    await api.close();
    api = await startApi({ ...idp.env, API_ACCEPT_IMPERSONATION: 'true' }, [MoreRoutes]);
    const caller = (await (await api.get('/api/v1/caller', 'token')).json()) as object;
    expect(caller).toMatchObject({ sub: 'u1', actor: 'u2' });
  });

  it('without a client_id is accepted, unless API_ACCEPT_PERSONAL_ACCESS_TOKENS=false', async () => {
    idp.answer = () => active({ client_id: undefined });
    expect(await statusFor('token')).toBe(200);
    await api.close();
    api = await startApi({ ...idp.env, API_ACCEPT_PERSONAL_ACCESS_TOKENS: 'false' }, [MoreRoutes]);
    expect(await statusFor('token')).toBe(401);
    idp.answer = () => active();
    expect(await statusFor('other')).toBe(200);
  });

  it('without a required scope gets 403 insufficient_scope', async () => {
    idp.answer = () => active({ scope: 'openid read' });
    const answer = await api.get('/more/scoped', 'token');
    expect(answer.status).toBe(403);
    expect(answer.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
    expect(answer.headers.get('www-authenticate')).toContain('scope="read write"');
    idp.answer = () => active({ scope: 'write openid read' });
    expect((await api.get('/more/scoped', 'other')).status).toBe(200);
  });

  it.each<[string, () => object]>([
    ['too long ago', () => ({ auth_time: now() - 125 })],
    ['never', () => ({ auth_time: undefined })],
    ['at a time that is not a number', () => ({ auth_time: String(now()) })],
  ])(
    'whose user signed in %s gets 401 insufficient_user_authentication on a route with @MaxAge(60)',
    async (_name, claims) => {
      idp.answer = () => active(claims());
      const answer = await api.get('/more/recent', 'token');
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer error="insufficient_user_authentication", error_description="This needs a more recent login", max_age="60"',
      );
      expect(await answer.json()).toMatchObject({ statusCode: 401, code: 'API_LOGIN_TOO_OLD' });
      expect(await statusFor('token')).toBe(200);
    },
  );

  it('is accepted on a route with @MaxAge(60) until the sign-in is 120 seconds old (one minute of clock tolerance)', async () => {
    const loggedInAt = now() - 50;
    idp.answer = () => active({ auth_time: loggedInAt });
    expect((await api.get('/more/recent', 'token')).status).toBe(200);
    moveTime(59_000);
    expect((await api.get('/more/recent', 'token')).status).toBe(200);
    moveTime(15_000);
    expect((await api.get('/more/recent', 'token')).status).toBe(401);
  });

  it('in two Authorization headers gets 400 invalid_request', async () => {
    const twice = await rawRequest(
      api.origin,
      'GET /api/v1/app HTTP/1.1\r\nAuthorization: Bearer one\r\nAuthorization: Bearer two',
    );
    expect(twice).toMatch(/^HTTP\/1.1 400 /);
    expect(twice).toMatch(/www-authenticate: bearer error="invalid_request"/i);
    expect(idp.asked).toHaveLength(0);
  });

  it('is read from the Authorization header with any case of the scheme, and never from the query', async () => {
    idp.answer = () => active();
    for (const scheme of ['bearer', 'BEARER', 'Bearer'])
      expect((await api.get('/api/v1/app', undefined, { authorization: `${scheme} token` })).status).toBe(
        200,
      );
    const inQuery = await api.get('/api/v1/app?access_token=token');
    expect(inQuery.status).toBe(401);
  });

  it('never appears in a log line', async () => {
    const canary = 'canary-token-0123456789';
    for (const answer of [
      active(),
      { body: { active: false } },
      { status: 500, body: canary },
      { body: canary },
    ]) {
      idp.answer = () => answer;
      await api.get('/more/fresh', canary);
    }
    expect(api.log.join('\n')).not.toContain(canary);
    expect(api.log.join('\n')).not.toContain('client_assertion');
  });
});
