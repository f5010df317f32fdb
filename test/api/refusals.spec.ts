import { SignJWT } from 'jose';
import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Authenticate,
  RequireFactors,
  RequireFreshSignIn,
  RequireRoles,
  Scopes,
} from '@mridang/nestjs-zitadel';
import { now } from '../support/now.js';
import { clientId, projectId, startIntrospector, type Introspector } from '../support/introspector.js';
import { startApi, type RunningApi } from '../support/start-api.js';
import { startApp } from '../support/start-app.js';

/** The same at the API, where every route takes bearer tokens, and in the web application. */
@Controller('strict')
@Authenticate('bearer')
class StrictRoutes {
  @Get('role')
  @RequireRoles('admin')
  role() {
    return {};
  }

  @Get('scope')
  @Scopes('write')
  scope() {
    return {};
  }

  @Get('recent')
  @RequireFreshSignIn({ maxAgeSeconds: 60 })
  recent() {
    return {};
  }

  @Get('factors')
  @RequireFactors('mfa')
  factors() {
    return {};
  }
}

const secret = new TextEncoder().encode('a secret of nobody that is long enough');
const jwt = (claims: Record<string, unknown>) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(secret);

const ROLES = 'urn:zitadel:iam:org:project:roles';
const opaque = `${'a'.repeat(40)}.b.c.d.e`;

let idp: Introspector;
beforeAll(async () => {
  idp = await startIntrospector();
});
afterAll(() => idp.close());

type Case = [
  what: string,
  path: string,
  token: () => string | Promise<string>,
  claims: object | undefined,
  expected: object,
];

const aged = () => ({ iat: now() - 100, auth_time: now() - 4_000, amr: ['pwd'] });

const cases: Case[] = [
  [
    'a missing role with the roles of the caller, its token and when Zitadel was asked',
    '/strict/role',
    () => opaque,
    { [ROLES]: { editor: { '1': 'alpha.example' } } },
    {
      code: 'API_ROLE_REQUIRED',
      needed: { roles: ['admin'] },
      held: {
        roles: ['editor'],
        tokenKind: 'opaque access token',
        audience: [clientId],
        readAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      },
    },
  ],
  [
    'a personal access token by its kind',
    '/strict/role',
    () => 'a-personal-access-token',
    { client_id: undefined, [ROLES]: {} },
    { code: 'API_ROLE_REQUIRED', held: { tokenKind: 'personal access token', roles: [] } },
  ],
  [
    'a missing scope with the scopes of the token',
    '/strict/scope',
    () => `${opaque}1`,
    { scope: 'openid read' },
    { code: 'API_SCOPE_REQUIRED', needed: { scopes: ['write'] }, held: { scopes: ['openid', 'read'] } },
  ],
  [
    'an old sign-in with its age and that of the token',
    '/strict/recent',
    () => `${opaque}2`,
    aged(),
    {
      code: 'API_LOGIN_TOO_OLD',
      needed: { signInAgeSeconds: 60 },
      held: { signInAgeSeconds: expect.any(Number), tokenAgeSeconds: expect.any(Number), factors: ['pwd'] },
    },
  ],
  [
    'a missing factor with the factors of the sign-in',
    '/strict/factors',
    () => `${opaque}3`,
    aged(),
    { code: 'API_FACTORS_REQUIRED', needed: { factors: ['mfa'] }, held: { factors: ['pwd'] } },
  ],
  [
    'a token for another project with both projects',
    '/strict/role',
    () => `${opaque}4`,
    { aud: ['320000000000000999'] },
    {
      code: 'API_TOKEN_INVALID',
      needed: { bearerToken: true, audience: [projectId, clientId] },
      held: { audience: ['320000000000000999'], tokenProblem: 'aud is another project' },
      help: expect.stringContaining(`urn:zitadel:iam:org:project:id:${projectId}:aud`),
    },
  ],
  [
    'an expired JWT with its kind and age',
    '/strict/role',
    () => jwt({ iat: now() - 900, exp: now() - 600, aud: ['some-project'], sub: 'u1' }),
    undefined,
    {
      code: 'API_TOKEN_INVALID',
      held: {
        tokenKind: 'access token (JWT)',
        tokenProblem: 'it has expired',
        tokenAgeSeconds: expect.any(Number),
        audience: ['some-project'],
      },
    },
  ],
  [
    'an ID token as one',
    '/strict/role',
    () => jwt({ nonce: 'n', sub: 'u1' }),
    undefined,
    { code: 'API_TOKEN_INVALID', held: { tokenKind: 'ID token' }, help: 'Send the access token.' },
  ],
  [
    'an unknown token with what it may be',
    '/strict/role',
    () => 'unknown-token-canary',
    undefined,
    {
      code: 'API_TOKEN_INVALID',
      held: { tokenKind: 'opaque access token', tokenProblem: expect.stringContaining('was revoked') },
    },
  ],
  [
    'a text that is no token',
    '/strict/role',
    () => 'no{token}',
    undefined,
    { code: 'API_TOKEN_INVALID', held: { tokenProblem: expect.stringContaining('RFC 6750') } },
  ],
];

type Program = Pick<RunningApi, 'get' | 'log' | 'close'>;

const programs = {
  'the API': (environment: string): Promise<Program> =>
    startApi({ ...idp.env, NODE_ENV: environment }, [StrictRoutes]),
  'the web application': async (environment: string): Promise<Program> => {
    const log: string[] = [];
    const key = {
      type: 'application',
      keyId: idp.env['IDP_AUTHORIZATION_PROFILE_KEY_ID'],
      key: idp.env['IDP_AUTHORIZATION_PROFILE_KEY'],
      appId: '1',
      clientId,
    };
    const app = await startApp({
      env: {
        NODE_ENV: environment,
        ZITADEL_DOMAIN: idp.issuer,
        ZITADEL_API_KEY_FILE: JSON.stringify(key),
        IDP_PROJECT_ID: projectId,
      },
      log,
      controllers: [StrictRoutes],
    });
    const get: Program['get'] = (path, token, headers = {}) =>
      fetch(app.origin + path, {
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      });
    return { log, get, close: () => app.close() };
  },
};

const environments = ['development', 'production'].flatMap((environment) =>
  Object.entries(programs).map(([name, start]) => ({ name, environment, start })),
);

describe.each(environments)('$name in $environment', ({ environment, start }) => {
  const isExplained = environment === 'development';
  let api: Program;
  beforeAll(async () => {
    api = await start(environment);
  });
  afterAll(() => api.close());
  beforeEach(() => void api.log.splice(0));

  type Body = { code: string; reference: string; explanation?: Record<string, unknown> };

  async function refused(path: string, token?: string, headers?: Record<string, string>): Promise<Body> {
    const answer = await api.get(path, token, headers);
    expect([401, 403]).toContain(answer.status);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    return (await answer.json()) as Body;
  }

  const lineOf = ({ reference }: Body) => api.log.find((line) => line.includes(reference)) ?? '';

  it.each(cases)('explains %s', async (_what, path, tokenOf, claims, expected) => {
    const token = await tokenOf();
    idp.answer = () => (claims ? idp.active(claims) : { body: { active: false } });
    const body = await refused(path, token);
    const { code, ...explanation } = expected as Body;
    expect(body).toMatchObject({ code, reference: expect.stringMatching(/^[0-9a-f]{12}$/) });
    if (isExplained) expect(body.explanation).toMatchObject(explanation);
    else expect(body).not.toHaveProperty('explanation');
    const line = lineOf(body);
    expect(line).toMatch(
      new RegExp(`^(log|warn) Refused with \\d+ ${code}, reference \\w+\\. needed: .*what helps: .*`),
    );
    for (const text of [JSON.stringify(body), line]) expect(text).not.toContain(token.slice(0, 20));
  });

  it('gives a request without a token code and reference, and a line of the level debug', async () => {
    const body = await refused('/strict/role');
    expect(body.code).toBe('API_TOKEN_REQUIRED');
    expect(lineOf(body)).toMatch(/^debug Refused with 401 API_TOKEN_REQUIRED/);
  });

  it('gives a request with another scheme the same code, and a line that an operator sees', async () => {
    const credential = 'canary-of-a-password';
    const body = await refused('/strict/role', undefined, { authorization: `Basic ${credential}` });
    expect(body.code).toBe('API_TOKEN_REQUIRED');
    expect(lineOf(body)).toMatch(/^log Refused with 401 .*bearer token: none, but .*another scheme/);
    expect(JSON.stringify(body) + lineOf(body)).not.toContain('canary');
  });

  it('shortens and escapes what a token says, and hides what looks like a secret', async () => {
    const aud = [
      'x'.repeat(500),
      'two\nlines',
      'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c',
      ...Array<string>(30).fill('p'),
    ];
    idp.answer = () => ({ body: { active: false } });
    const body = await refused('/strict/role', await jwt({ aud, iss: `https://${'i'.repeat(300)}` }));
    const said = isExplained ? JSON.stringify(body.explanation) : lineOf(body);
    for (const part of ['x'.repeat(150), 'two\nlines', 'eyJzdWIi', 'i'.repeat(150)])
      expect(said).not.toContain(part);
    expect(said).toContain('[redacted]');
    expect(lineOf(body).split('. what helps')[0]?.split('\n')).toHaveLength(1);
  });

  it('logs at most ten lines for bad tokens in ten seconds, and still one for a missing role', async () => {
    idp.answer = (token) => (token === 'good' ? idp.active() : { body: { active: false } });
    const bodies: Body[] = [];
    for (let count = 0; count < 30; count++) bodies.push(await refused('/strict/role', `bad-${count}`));
    const levels = bodies.map((body) => lineOf(body).split(' ')[0]);
    expect(levels.filter((level) => level === 'log').length).toBeLessThanOrEqual(10);
    expect(levels.filter((level) => level === 'debug').length).toBeGreaterThanOrEqual(20);
    expect(lineOf(await refused('/strict/role', 'good'))).toMatch(/^warn/);
  });
});
