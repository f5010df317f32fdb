import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { importPKCS8, SignJWT } from 'jose';
import { startSandbox, type ApplicationKeyFile, type Sandbox } from '../src/index.js';
import { Browser, type Answer } from './support/browser.js';
import { assertion, assertionType, basic, introspect, RelyingParty } from './support/relying-party.js';

const now = Math.floor(Date.now() / 1000);

/** All cases run with opaque and with JWT access tokens. */
describe.each(['opaque', 'jwt'] as const)('Introspection of %s access tokens', (accessTokenType) => {
  let sandbox: Sandbox;
  let client: RelyingParty;
  let token: string;

  beforeAll(async () => {
    sandbox = await startSandbox({ web: { accessTokenType } });
    client = new RelyingParty(sandbox);
    token = (await client.signIn()).access_token;
  });
  afterAll(() => sandbox.close());

  function ask(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
    return new Browser().post(`${sandbox.issuer}/oauth/v2/introspect`, form, headers);
  }

  async function askWith(
    claims: Record<string, unknown>,
    header: Record<string, unknown> = {},
  ): Promise<Answer> {
    const client_assertion = await assertion(sandbox.clients.api.key, sandbox.issuer, claims, header);
    return ask({ token, client_assertion_type: assertionType, client_assertion });
  }

  describe('with client authentication', () => {
    it('refuses a request without secret and assertion', async () => {
      const { status, json } = await ask({ token, client_id: sandbox.clients.api.clientId });
      expect([status, json]).toEqual([
        400,
        { error: 'invalid_client', error_description: 'client must be authenticated' },
      ]);
    });

    it('refuses a request without a token', async () => {
      const { status, json } = await introspect(sandbox, undefined);
      expect([status, json]).toEqual([400, { error: 'invalid_request', error_description: 'token missing' }]);
    });

    it('refuses another client_assertion_type', async () => {
      const { status, json } = await introspect(sandbox, token, sandbox.clients.api.key, {
        client_assertion_type: 'jwt',
      });
      expect([status, json['error']]).toEqual([400, 'invalid_request']);
      expect(json['error_description']).toMatch(/^invalid client_assertion_type/);
    });

    it.each([
      ['unknown client', { iss: '399999999999999999', sub: '399999999999999999' }],
      ['another subject', { sub: '399999999999999999' }],
      ['keyId or appId instead of clientId', { iss: '320000000000000113', sub: '320000000000000113' }],
      ['expired assertion', { exp: now }],
      ['assertion older than an hour', { iat: now - 3700 }],
      ['assertion issued in the future', { iat: now + 60 }],
      ['iat missing', { iat: undefined }],
      ['exp missing', { exp: undefined }],
    ])('refuses an assertion with 400 unauthorized_client: %s', async (_case, claims) => {
      const { status, text } = await askWith(claims);
      expect([status, text]).toEqual([400, '{"error":"unauthorized_client"}\n']);
    });

    it.each([
      ['the endpoint', '/oauth/v2/introspect'],
      ['the issuer with a slash', '/'],
      ['the token endpoint', '/oauth/v2/token'],
    ])('refuses an assertion for another audience with 400 unauthorized_client: %s', async (_case, path) => {
      const { status, text } = await askWith({ aud: `${sandbox.issuer}${path}` });
      expect([status, text]).toEqual([400, '{"error":"unauthorized_client"}\n']);
    });

    it('refuses an invalid signature with 400 unauthorized_client', async () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      const { clientId, keyId } = sandbox.clients.api.key;
      const forged = await new SignJWT({
        iss: clientId,
        sub: clientId,
        aud: sandbox.issuer,
        iat: now,
        exp: now + 60,
      })
        .setProtectedHeader({ alg: 'RS256', kid: keyId })
        .sign(privateKey);
      const { status, text } = await ask({
        token,
        client_assertion_type: assertionType,
        client_assertion: forged,
      });
      expect([status, text]).toEqual([400, '{"error":"unauthorized_client"}\n']);
    });

    it('refuses a kid that is not the keyId with 400 unauthorized_client', async () => {
      expect((await askWith({}, { kid: 'other' })).json).toEqual({ error: 'unauthorized_client' });
    });

    it('refuses a wrong secret with 400 unauthorized_client', async () => {
      const { status, text } = await ask({ token }, basic(sandbox.clients.apiBasic.clientId, 'wrong'));
      expect([status, text]).toEqual([400, '{"error":"unauthorized_client"}\n']);
    });

    it('responds to an assertion that is not a JWT with 200 {"active":false}, as Zitadel does', async () => {
      const { status, text } = await ask({
        token,
        client_assertion_type: assertionType,
        client_assertion: 'not a jwt',
      });
      expect([status, text]).toEqual([200, '{"active":false}\n']);
    });

    it('reports an error of the client before one of the token', async () => {
      const { status, json } = await ask(
        { token: 'garbage' },
        basic(sandbox.clients.apiBasic.clientId, 'wrong'),
      );
      expect([status, json['error']]).toEqual([400, 'unauthorized_client']);
    });

    it('accepts a secret in a Basic header and in the form', async () => {
      const { clientId, clientSecret = '' } = sandbox.clients.apiBasic;
      const byHeader = await ask({ token }, basic(clientId, clientSecret));
      const byForm = await ask({ token, client_id: clientId, client_secret: clientSecret });
      expect([byHeader.json['active'], byForm.json['active']]).toEqual([true, true]);
    });

    it('accepts the issuer as aud in an array', async () => {
      expect((await askWith({ aud: [sandbox.issuer, 'https://other.example'] })).json['active']).toBe(true);
    });

    it('accepts an assertion twice and without jti', async () => {
      const client_assertion = await assertion(sandbox.clients.api.key, sandbox.issuer);
      const form = { token, client_assertion_type: assertionType, client_assertion };
      expect([(await ask(form)).json['active'], (await ask(form)).json['active']]).toEqual([true, true]);
    });
  });

  describe('by an authenticated client', () => {
    it.each(['expired', 'revoked', 'logged out'])(
      'returns 200 {"active":false} for a token that is %s',
      async (how) => {
        const { access_token, id_token } = await client.signIn();
        if (how === 'expired') sandbox.expire('access_tokens');
        if (how === 'revoked') await client.revoke(access_token);
        if (how === 'logged out') await client.endSession({ id_token_hint: id_token });
        const { status, text } = await introspect(sandbox, access_token);
        token = (await client.signIn()).access_token;
        expect([status, text]).toEqual([200, '{"active":false}\n']);
      },
    );

    it('returns 200 {"active":false} for an expired token', async () => {
      const short = await startSandbox({ web: { accessTokenType }, accessTokenTtlSeconds: 2 });
      const { access_token } = await new RelyingParty(short).signIn();
      const fresh = await introspect(short, access_token);
      await pause(2000);
      const { status, text } = await introspect(short, access_token);
      await short.close();
      expect(fresh.json['active']).toBe(true);
      expect([status, text]).toEqual([200, '{"active":false}\n']);
    });

    it.each(['garbage', 'a.b.c', 'a.b.c.d.e'])(
      'returns 200 {"active":false} for an unknown token: %s',
      async (garbage) => {
        const { status, text } = await introspect(sandbox, garbage);
        expect([status, text]).toEqual([200, '{"active":false}\n']);
      },
    );

    it('returns 200 {"active":false} for a token of another sandbox', async () => {
      const other = await startSandbox({ web: { accessTokenType } });
      const foreign = await new RelyingParty(other).signIn();
      await other.close();
      expect((await introspect(sandbox, foreign.access_token)).text).toBe('{"active":false}\n');
    });

    it('returns 200 {"active":false} for a refresh token', async () => {
      const { refresh_token } = await client.signIn();
      expect((await introspect(sandbox, refresh_token)).text).toBe('{"active":false}\n');
    });

    it('returns inactive to a client of another project, as aud has neither its client id nor its project id', async () => {
      const { status, text } = await introspect(sandbox, token, sandbox.clients.foreignApi.key);
      expect([status, text]).toEqual([200, '{"active":false}\n']);
    });

    it('returns active to a client of another project that a …:aud scope names', async () => {
      const scope = 'openid urn:zitadel:iam:org:project:id:320000000000000200:aud';
      const { access_token } = await client.signIn('alice@acme.example', { scope });
      expect((await introspect(sandbox, access_token, sandbox.clients.foreignApi.key)).json['active']).toBe(
        true,
      );
    });

    it('returns exactly the claims of Zitadel for an active token', async () => {
      const scope =
        'openid profile email phone urn:zitadel:iam:user:metadata urn:zitadel:iam:user:resourceowner';
      const { access_token, claims } = await client.signIn('alice@acme.example', { scope });
      const { json } = await introspect(sandbox, access_token);
      expect(json).toMatchObject({
        active: true,
        client_id: sandbox.clients.web.clientId,
        token_type: 'Bearer',
        sub: '320000000000000011',
        aud: claims.aud,
        amr: ['pwd'],
        iss: sandbox.issuer,
        jti: expect.stringMatching(/^V2_\d{18}-at_\d{18}$/),
        username: 'alice@acme.example',
        auth_time: claims['auth_time'],
        name: 'Alice Archer',
        email: 'alice@acme.example',
        email_verified: true,
        phone_number: '+41791234567',
        'urn:zitadel:iam:user:metadata': { team: 'UGxhdGZvcm0' },
        'urn:zitadel:iam:user:resourceowner:name': 'Acme',
        'urn:zitadel:iam:org:project:roles': { admin: { '320000000000000001': 'acme.example' } },
      });
      expect(String(json['scope']).startsWith(scope)).toBe(true);
      expect(json['nbf']).toBe(json['iat']);
      expect(Number(json['exp']) - Number(json['iat'])).toBe(43200);
    });

    it('returns active for a personal access token to every API app, without client_id and with the calling client as audience', async () => {
      const { pat } = sandbox.users.find(({ kind }) => kind === 'machine') ?? {};
      for (const { key } of [sandbox.clients.api, sandbox.clients.foreignApi]) {
        const { json } = await introspect(sandbox, pat, key);
        expect(json).toMatchObject({ active: true, username: 'robot@acme.example' });
        expect(json).not.toHaveProperty('client_id');
        expect((json['aud'] as string[])[0]).toBe(key.clientId);
        expect(json['aud']).toHaveLength(2);
      }
    });
  });
});

it.each(['basic', 'private_key_jwt'] as const)(
  'A web app with a secret or key may use introspection: %s',
  async (authMethod) => {
    const sandbox = await startSandbox({ web: { authMethod } });
    const { web } = sandbox.clients;
    const { pat = '' } = sandbox.users.find(({ kind }) => kind === 'machine') ?? {};
    const answer = web.key
      ? await introspect(sandbox, pat, web.key)
      : await new Browser().post(
          `${sandbox.issuer}/oauth/v2/introspect`,
          { token: pat },
          basic(web.clientId, web.clientSecret ?? ''),
        );
    await sandbox.close();
    expect([answer.status, answer.json['active']]).toEqual([200, true]);
  },
);

describe('A key file', () => {
  let sandbox: Sandbox;
  let folder: string;

  beforeAll(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'sandbox-keys-')), 'new');
    sandbox = await startSandbox({ keyFolder: folder });
  });
  afterAll(async () => {
    await sandbox.close();
    await rm(join(folder, '..'), { recursive: true });
  });

  async function written(file: string): Promise<Record<string, string>> {
    return JSON.parse(await readFile(join(folder, file), 'utf8')) as Record<string, string>;
  }

  it('of an application has type, keyId, key, appId and clientId', async () => {
    const file = await written('api-key.json');
    expect(file).toEqual({
      type: 'application',
      keyId: expect.stringMatching(/^\d{18}$/),
      key: expect.any(String),
      appId: sandbox.clients.api.appId,
      clientId: sandbox.clients.api.clientId,
    });
    expect(file).toEqual({ ...sandbox.clients.api.key });
  });

  it('of a service user has type, keyId, key, expirationDate and userId', async () => {
    expect(await written('service-user-key.json')).toEqual({
      type: 'serviceaccount',
      keyId: expect.stringMatching(/^\d{18}$/),
      key: expect.any(String),
      expirationDate: expect.stringMatching(/^9999-12-31/),
      userId: '320000000000000014',
    });
  });

  it('contains a PKCS#1 key: importPKCS8 fails and createPrivateKey succeeds', async () => {
    const { key = '' } = await written('api-key.json');
    expect(key.startsWith('-----BEGIN RSA PRIVATE KEY-----\n')).toBe(true);
    await expect(importPKCS8(key, 'RS256')).rejects.toThrow('must be PKCS#8');
    expect(createPrivateKey(key).asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('from the key folder authenticates at introspection', async () => {
    const { access_token } = await new RelyingParty(sandbox).signIn();
    const file = (await written('api-key.json')) as unknown as ApplicationKeyFile;
    expect((await introspect(sandbox, access_token, file)).json['active']).toBe(true);
  });

  it('may be read only by its owner, even if the file existed before', async () => {
    const files = ['api-key.json', 'service-user-key.json'].map((file) => join(folder, file));
    for (const file of files) expect((await stat(file)).mode & 0o077).toBe(0);
    for (const file of files) await chmod(file, 0o644);
    await sandbox.writeKeys(folder);
    for (const file of files) expect((await stat(file)).mode & 0o077).toBe(0);
  });
});
