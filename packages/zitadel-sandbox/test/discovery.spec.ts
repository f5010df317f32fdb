import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { request } from 'node:http';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { Browser } from './support/browser.js';
import { RelyingParty } from './support/relying-party.js';

let sandbox: Sandbox;
const browser = new Browser();

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

function discovery(): ReturnType<Browser['get']> {
  return browser.get(`${sandbox.issuer}/.well-known/openid-configuration`);
}

async function publishedKeys(): Promise<Record<string, string>[]> {
  const { json } = await browser.get(`${sandbox.issuer}/oauth/v2/keys`);
  return json['keys'] as Record<string, string>[];
}

/** A request with a Host header, which fetch would not send. */
function ask(address: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  const { port } = new URL(sandbox.issuer);
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: address, port, path: '/.well-known/openid-configuration', headers },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.on('error', reject).end();
  });
}

describe('The discovery document', () => {
  it('has exactly the fields and values of Zitadel', async () => {
    const i = sandbox.issuer;
    const { json, status } = await discovery();
    expect(status).toBe(200);
    expect(json).toEqual({
      issuer: i,
      authorization_endpoint: `${i}/oauth/v2/authorize`,
      token_endpoint: `${i}/oauth/v2/token`,
      introspection_endpoint: `${i}/oauth/v2/introspect`,
      userinfo_endpoint: `${i}/oidc/v1/userinfo`,
      revocation_endpoint: `${i}/oauth/v2/revoke`,
      end_session_endpoint: `${i}/oidc/v1/end_session`,
      device_authorization_endpoint: `${i}/oauth/v2/device_authorization`,
      jwks_uri: `${i}/oauth/v2/keys`,
      scopes_supported: ['openid', 'profile', 'email', 'phone', 'address', 'offline_access'],
      response_types_supported: ['code', 'id_token', 'id_token token'],
      response_modes_supported: ['query', 'fragment', 'form_post'],
      grant_types_supported: [
        'authorization_code',
        'implicit',
        'refresh_token',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
        'urn:ietf:params:oauth:grant-type:device_code',
      ],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['EdDSA', 'RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'],
      request_object_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      token_endpoint_auth_signing_alg_values_supported: ['RS256'],
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_basic',
        'client_secret_post',
        'private_key_jwt',
      ],
      revocation_endpoint_auth_signing_alg_values_supported: ['RS256'],
      introspection_endpoint_auth_methods_supported: ['client_secret_basic', 'private_key_jwt'],
      introspection_endpoint_auth_signing_alg_values_supported: ['RS256'],
      claims_supported: [
        ...[
          'sub',
          'aud',
          'exp',
          'iat',
          'iss',
          'auth_time',
          'nonce',
          'acr',
          'amr',
          'c_hash',
          'at_hash',
          'act',
        ],
        ...[
          'scopes',
          'client_id',
          'azp',
          'preferred_username',
          'name',
          'family_name',
          'given_name',
          'locale',
        ],
        ...['email', 'email_verified', 'phone_number', 'phone_number_verified'],
      ],
      code_challenge_methods_supported: ['S256'],
      ui_locales_supported: [
        ...[
          'ar',
          'bg',
          'cs',
          'de',
          'en',
          'es',
          'fr',
          'hu',
          'id',
          'it',
          'ja',
          'ko',
          'mk',
          'nl',
          'pl',
          'pt',
          'ro',
        ],
        ...['ru', 'sv', 'tr', 'uk', 'zh'],
      ],
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    });
  });

  it.each([
    'authorization_response_iss_parameter_supported',
    'check_session_iframe',
    'frontchannel_logout_supported',
    'frontchannel_logout_session_supported',
    'acr_values_supported',
    'registration_endpoint',
  ])('does not contain %s', async (field) => {
    expect((await discovery()).json).not.toHaveProperty([field]);
  });

  it('does not exist in the form of RFC 8414', async () => {
    const { status } = await browser.get(`${sandbox.issuer}/.well-known/oauth-authorization-server`);
    expect(status).toBe(404);
  });

  it('is sent with no-store, no-cache, Vary Origin, robots none and a user agent cookie for a year', async () => {
    const { headers } = await new Browser().get(`${sandbox.issuer}/.well-known/openid-configuration`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('pragma')).toBe('no-cache');
    expect(headers.get('vary')).toContain('Origin');
    expect(headers.get('x-robots-tag')).toBe('none');
    const cookie = headers.getSetCookie().join();
    expect(cookie).toMatch(/^zitadel\.useragent=[^;]+;.*Max-Age=31536000; HttpOnly/);
  });

  it('may be read from any origin with credentials by CORS, preflight included', async () => {
    const origin = 'https://spa.example';
    const { headers } = await browser.get(`${sandbox.issuer}/oauth/v2/keys`, { origin });
    expect(headers.get('access-control-allow-origin')).toBe(origin);
    expect(headers.get('access-control-allow-credentials')).toBe('true');
    const preflight = await browser.send(`${sandbox.issuer}/oidc/v1/userinfo`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization');
  });

  it('is sent with CORS headers, but the login UI is not, so that a page of another origin cannot read the code', async () => {
    const origin = 'https://evil.example';
    const { location } = await new RelyingParty(sandbox).authorize();
    const authRequest = new URL(location).searchParams.get('authRequest') ?? '';
    const form = { authRequest, loginName: 'alice@acme.example' };
    const answers = [
      await browser.get(`${sandbox.issuer}/ui/login`, { origin }),
      await browser.get(location, { origin }),
      await browser.get(`${sandbox.issuer}/ui/v2/login/logout`, { origin }),
      await browser.get(`${sandbox.issuer}/ui/login/logout/done`, { origin }),
      await browser.post(location, form, { origin }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 307, 400, 200, 302]);
    for (const { headers } of answers) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
  });

  describe('describes endpoints that accept GET and POST:', () => {
    const robot = { client_id: 'robot@acme.example', client_secret: 'robot-client-secret-of-the-sandbox' };
    const web = '320000000000000101';
    const api = '320000000000000104';

    it.each<[string, Record<string, string>, number]>([
      ['/.well-known/openid-configuration', {}, 200],
      ['/oauth/v2/keys', {}, 200],
      [
        '/oauth/v2/authorize',
        {
          client_id: web,
          redirect_uri: 'http://localhost:3000/auth/callback',
          response_type: 'code',
          scope: 'openid',
        },
        302,
      ],
      ['/oauth/v2/token', { ...robot, grant_type: 'client_credentials', scope: 'openid' }, 200],
      [
        '/oauth/v2/introspect',
        { client_id: api, client_secret: `secret-of-client-${api}`, token: 'unknown' },
        200,
      ],
      ['/oauth/v2/revoke', { client_id: web, token: 'unknown' }, 200],
      ['/oauth/v2/device_authorization', { client_id: web }, 200],
      ['/oidc/v1/end_session', { client_id: web }, 302],
    ])('%s accepts GET and POST', async (path, parameters, status) => {
      const got = await browser.get(new RelyingParty(sandbox).url(path, parameters));
      const posted = await browser.post(`${sandbox.issuer}${path}`, parameters);
      expect([got.status, posted.status]).toEqual([status, status]);
      expect(Object.keys(got.json)).toEqual(Object.keys(posted.json));
      expect(got.location.split('?')[0]).toBe(posted.location.split('?')[0]);
    });

    it('/oidc/v1/userinfo accepts GET and POST', async () => {
      const client = new RelyingParty(sandbox);
      const { access_token } = await client.signIn();
      const got = await client.userinfo(access_token);
      const posted = await browser.post(`${sandbox.issuer}/oidc/v1/userinfo`, { access_token });
      expect(got.json['sub']).toBe('320000000000000011');
      expect(posted.json).toEqual(got.json);
    });
  });
});

describe('The issuer', () => {
  it('has no trailing slash', async () => {
    expect(sandbox.issuer).toMatch(/^http:\/\/localhost:\d+$/);
    expect((await discovery()).json['issuer']).toBe(sandbox.issuer);
  });

  it('is required as the host: a request with the host 127.0.0.1 gets 404', async () => {
    const { port } = new URL(sandbox.issuer);
    const { status, text } = await ask('127.0.0.1', { host: `127.0.0.1:${port}` });
    expect(status).toBe(404);
    expect(text).toMatch(
      /^unable to set instance using origin &\{127\.0\.0\.1:\d+ {2}http\} \(ExternalDomain is localhost\)/,
    );
  });

  it.each([
    ['X-Forwarded-Host', { 'x-forwarded-host': 'login.example' }],
    ['Forwarded', { forwarded: 'for=10.0.0.1;host=login.example;proto=https' }],
    ['x-zitadel-instance-host', { 'x-zitadel-instance-host': 'login.example' }],
  ])(
    'is required as the host: a request with an unknown host in the header %s gets 404',
    async (_header, headers) => {
      const { host } = new URL(sandbox.issuer);
      const { status, text } = await ask('127.0.0.1', { host, ...headers });
      expect([status, text.slice(0, 60)]).toEqual([
        404,
        'unable to set instance using origin &{login.example  http} (',
      ]);
    },
  );

  it('is served on IPv4, and on IPv6 if the machine has it', async () => {
    const { host } = new URL(sandbox.issuer);
    expect((await ask('127.0.0.1', { host })).status).toBe(200);
    const six = await ask('::1', { host }).catch((error: NodeJS.ErrnoException) => error.code);
    expect([200, 'EADDRNOTAVAIL', 'EAFNOSUPPORT']).toContain(typeof six === 'object' ? six.status : six);
  });
});

describe('The JSON Web Key Set', () => {
  it('has two RSA-2048 keys for RS256 with a kid of 18 digits, cacheable for five minutes', async () => {
    const fresh = await startSandbox();
    const { json, headers } = await browser.get(`${fresh.issuer}/oauth/v2/keys`);
    await fresh.close();
    const keys = json['keys'] as Record<string, string>[];
    expect(headers.get('cache-control')).toBe('max-age=300, must-revalidate');
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
      expect(key).toMatchObject({ use: 'sig', kty: 'RSA', alg: 'RS256' });
      expect(key['kid']).toMatch(/^\d{18}$/);
      expect(Buffer.from(key['n'] ?? '', 'base64url')).toHaveLength(256);
    }
  });

  it('shares no key with those of other running sandboxes, rotated keys included', async () => {
    const others = [await startSandbox(), await startSandbox()];
    await others[0]?.rotateKeys();
    await others[0]?.close();
    others[0] = await startSandbox();
    await others[0].rotateKeys();
    const published = await Promise.all(
      [sandbox, ...others].map(
        async ({ issuer }) => (await browser.get(`${issuer}/oauth/v2/keys`)).json['keys'],
      ),
    );
    await Promise.all(others.map((other) => other.close()));
    const moduli = (published as { n: string }[][]).flat().map(({ n }) => n);
    expect(moduli.length).toBeGreaterThanOrEqual(7);
    expect(new Set(moduli).size).toBe(moduli.length);
  });

  it('contains the old keys after a rotation, the next key signs, and a client fetches it for the unknown kid', async () => {
    const client = new RelyingParty(sandbox);
    const keys = createRemoteJWKSet(new URL(`${sandbox.issuer}/oauth/v2/keys`), { cooldownDuration: 0 });
    const before = await publishedKeys();
    const old = await client.signIn();
    await jwtVerify(old.id_token, keys, { issuer: sandbox.issuer });
    await sandbox.rotateKeys();
    await sandbox.rotateKeys();
    const { id_token } = await client.signIn();
    const after = await publishedKeys();
    expect(after.map(({ kid }) => kid).slice(0, 2)).toEqual(before.map(({ kid }) => kid));
    expect(decodeProtectedHeader(old.id_token).kid).toBe(before.at(-2)?.['kid']);
    expect(decodeProtectedHeader(id_token).kid).toBe(after.at(-2)?.['kid']);
    expect(before.map(({ kid }) => kid)).not.toContain(after.at(-2)?.['kid']);
    await expect(jwtVerify(id_token, keys, { issuer: sandbox.issuer })).resolves.toBeDefined();
    await expect(jwtVerify(old.id_token, keys, { issuer: sandbox.issuer })).resolves.toBeDefined();
  });
});
