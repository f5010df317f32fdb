import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Public } from '@mridang/nestjs-auth';
import { Controller, Get } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { runProgram } from '../support/run-program.js';
import { serviceUserTokens } from '../support/service-user-tokens.js';
import { startApi, type RunningApi } from '../support/start-api.js';

@Controller('elsewhere')
class Elsewhere {
  @Get('public')
  @Public()
  open() {
    return 'open';
  }
}

let sandbox: Sandbox;
let api: RunningApi;
let folder: string;
let apiKeyFile: string;

beforeAll(async () => {
  sandbox = await startSandbox();
  folder = mkdtempSync(join(tmpdir(), 'api-'));
  ({ apiKeyFile } = await sandbox.writeKeys(folder));
  api = await startApi(
    {
      IDP_AUTHORITY: sandbox.issuer,
      ZITADEL_API_KEY_FILE: apiKeyFile,
      IDP_PROJECT_ID: sandbox.projectId,
    },
    [Elsewhere],
  );
});
afterAll(async () => {
  await api.close();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

const robot = () => sandbox.users.find(({ kind }) => kind === 'machine');
const audience = () => `urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;

const tokenFor = async (scope: string) => (await serviceUserTokens(sandbox, scope)).access_token;

describe('GET /api/v1/app', () => {
  it('returns 200 and "Hello World!" as JSON for a token whose audience is this API', async () => {
    const answer = await api.get('/api/v1/app', await tokenFor(`openid ${audience()}`));
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.text()).toBe('"Hello World!"');
  });

  it('returns 401 for a token whose audience does not contain this API', async () => {
    expect((await api.get('/api/v1/app', await tokenFor('openid'))).status).toBe(401);
  });

  it('returns 401 invalid_token for an unknown token of 40,000 characters', async () => {
    const answer = await api.get('/api/v1/app', `${'a'.repeat(20_000)}.${'b'.repeat(20_000)}.c`);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('returns 401 for an ID token, although its audience contains the project', async () => {
    const { id_token: idToken } = await serviceUserTokens(sandbox, `openid ${audience()}`);
    expect(decodeJwt(idToken).aud).toContain(sandbox.projectId);
    const answer = await api.get('/api/v1/app', idToken);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });

  it('returns 401 for an unsigned JWT', async () => {
    expect((await api.get('/api/v1/app', 'eyJhbGciOiJub25lIn0.e30.')).status).toBe(401);
  });
});

describe('a handler', () => {
  it('receives the caller with its roles and organization', async () => {
    const token = await tokenFor(
      `openid profile ${audience()} urn:zitadel:iam:org:projects:roles urn:zitadel:iam:user:resourceowner`,
    );
    const answer = await api.get('/api/v1/caller', token);
    expect(await answer.json()).toMatchObject({
      sub: robot()?.id,
      username: 'robot@acme.example',
      roles: ['viewer'],
      organization: { name: 'Acme' },
    });
  });

  it('can require a role: 403 without it and 200 with it', async () => {
    const scope = `openid profile ${audience()} urn:zitadel:iam:org:projects:roles`;
    const refused = await api.get('/api/v1/admin', await tokenFor(scope));
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'API_ROLE_REQUIRED' });
    sandbox.grantRole('robot@acme.example', 'admin');
    const accepted = await api.get('/api/v1/admin', await tokenFor(scope));
    expect(accepted.status).toBe(200);
    expect(await accepted.json()).toEqual({ message: 'Hello robot@acme.example!' });
  });
});

describe('the API', () => {
  it.each([
    ['POST', '/api/v1/app'],
    ['DELETE', '/api/v1/caller'],
    ['PUT', '/health/live'],
    ['POST', '/api'],
  ])('returns 405 with Allow for a method that the path does not support: %s %s', async (method, path) => {
    const answer = await fetch(api.origin + path, { method });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
    expect(await answer.json()).toEqual({
      statusCode: 405,
      code: 'METHOD_NOT_ALLOWED',
      message: 'Only GET, HEAD are allowed here',
    });
  });

  it.each(['POST', 'DELETE'])(
    'returns 404 for %s on a path that has no route for any method, and on /metrics',
    async (method) => {
      for (const path of ['/no/such/path', '/metrics']) {
        const answer = await fetch(api.origin + path, { method });
        expect([answer.status, answer.headers.get('allow')]).toEqual([404, null]);
      }
    },
  );

  it('returns its 404 as JSON without internals of the program', async () => {
    const answer = await api.get('/nothing/here');
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({ statusCode: 404, message: 'There is nothing at this address' });
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('sends Cache-Control: no-store and Strict-Transport-Security with every response except the files of Swagger UI', async () => {
    for (const path of ['/api/v1/app', '/api/v1', '/elsewhere/public', '/api/nothing', '/nothing']) {
      const { headers } = await api.get(path);
      expect([path, headers.get('cache-control')]).toEqual([path, 'no-store']);
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
    for (const path of ['/api', '/api/swagger-ui.css', '/api-json']) {
      const { headers } = await api.get(path);
      expect([path, headers.get('cache-control')]).not.toEqual([path, 'no-store']);
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
  });

  it('sends CORS headers for configured origins only', async () => {
    const headers = { origin: 'https://app.example.com' };
    expect(
      (await api.get('/api/v1/app', undefined, headers)).headers.get('access-control-allow-origin'),
    ).toBeNull();
    const open = await startApi({
      IDP_AUTHORITY: sandbox.issuer,
      ZITADEL_API_KEY_FILE: apiKeyFile,
      API_CORS_ORIGINS: 'https://other.example, https://App.Example.com:443',
    });
    const allowed = await open.get('/api/v1/app', undefined, headers);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(allowed.headers.get('access-control-expose-headers')).toBe('WWW-Authenticate,Retry-After');
    const preflight = await fetch(`${open.origin}/api/v1/app`, {
      method: 'OPTIONS',
      headers: {
        ...headers,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.headers.get('access-control-allow-headers')).toBe('Authorization,Content-Type');
    expect(preflight.headers.get('cache-control')).toBe('no-store');
    const other = await open.get('/api/v1/app', undefined, { origin: 'https://evil.example' });
    expect(other.headers.get('access-control-allow-origin')).not.toBe('https://evil.example');
    await open.close();
  });
});

describe('Swagger UI', () => {
  it('describes every route and signs in with PKCE and no client secret', async () => {
    expect((await api.get('/api')).headers.get('content-type')).toMatch(/^text\/html/);
    const document = (await (await api.get('/api-json')).json()) as {
      paths: object;
      components: { securitySchemes: Record<string, unknown> };
    };
    expect(Object.keys(document.paths)).toEqual([
      '/elsewhere/public',
      '/api/v1/app',
      '/api/v1/caller',
      '/api/v1/admin',
    ]);
    expect(document.components.securitySchemes['zitadel']).toMatchObject({
      flows: { authorizationCode: { authorizationUrl: `${sandbox.issuer}/oauth/v2/authorize` } },
    });
    const script = await (await api.get('/api/swagger-ui-init.js')).text();
    expect(script).toContain('"usePkceWithAuthorizationCodeGrant": true');
    expect(script).not.toMatch(/clientSecret/);
  });

  it('allows no inline script but its own in its content security policy, and the routes allow no source at all', async () => {
    const policyOf = async (path: string) =>
      (await api.get(path)).headers.get('content-security-policy') ?? '';
    for (const path of ['/api', '/api/', '/api/index.html', '/api/oauth2-redirect.html'])
      expect(await policyOf(path)).toMatch(/script-src 'self' 'sha256-[^']+';/);
    for (const path of ['/api/v1/app', '/api/v1', '/api/nothing', '/api-json', '/nothing'])
      expect(await policyOf(path)).toBe(
        "default-src 'none';form-action 'none';frame-ancestors 'none';base-uri 'none'",
      );
  });

  it('never uses the client ID of the web application', async () => {
    const clients = { API_SWAGGER_CLIENT_ID: '', ZITADEL_CLIENT_ID: 'client-of-the-web-application' };
    const without = await startApi({
      IDP_AUTHORITY: sandbox.issuer,
      ZITADEL_API_KEY_FILE: apiKeyFile,
      ...clients,
    });
    const script = await (await without.get('/api/swagger-ui-init.js')).text();
    await without.close();
    expect(script).toContain('"clientId": ""');
    expect(script).not.toContain('client-of-the-web-application');
  });

  it('is off in production unless API_SWAGGER=true', async () => {
    for (const [wanted, status] of [
      ['', 404],
      ['true', 200],
    ] as const) {
      const production = await startApi({
        NODE_ENV: 'production',
        IDP_AUTHORITY: sandbox.issuer,
        ZITADEL_API_KEY_FILE: apiKeyFile,
        API_SWAGGER: wanted,
      });
      expect((await production.get('/api')).status).toBe(status);
      await production.close();
    }
  });
});

describe('node dist/api/main.js', () => {
  it('reports an invalid key by the name of the variable without printing the key, and exits with 1', async () => {
    const program = runProgram('node', [resolve('dist/api/main.js')], {
      IDP_AUTHORITY: sandbox.issuer,
      IDP_AUTHORIZATION_PROFILE_KEY: readFileSync(apiKeyFile, 'utf8').slice(0, 300),
    });
    expect(await program.exit).toBe(1);
    expect(program.output()).toContain('IDP_AUTHORIZATION_PROFILE_KEY: expected');
    expect(program.output()).not.toContain('PRIVATE KEY');
  }, 20_000);
});
