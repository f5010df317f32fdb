import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { decodeProtectedHeader, decodeJwt } from 'jose';
import { startSandbox, type Sandbox, type WebClientOptions } from '../src/index.js';
import { Browser } from './support/browser.js';
import {
  alice,
  assertion,
  assertionType,
  basic,
  introspect,
  isActive,
  RelyingParty,
  tokensFrom,
  verifier,
  withSandbox,
} from './support/relying-party.js';

const noChallenge = { code_challenge: undefined, code_challenge_method: undefined };

let sandbox: Sandbox;
let basicSandbox: Sandbox;
let postSandbox: Sandbox;
let keySandbox: Sandbox;
let client: RelyingParty;
let confidential: RelyingParty;
let posting: RelyingParty;
let keyed: RelyingParty;

beforeAll(async () => {
  sandbox = await startSandbox();
  basicSandbox = await startSandbox({ web: { authMethod: 'basic' } });
  postSandbox = await startSandbox({ web: { authMethod: 'post' } });
  keySandbox = await startSandbox({ web: { authMethod: 'private_key_jwt' } });
  client = new RelyingParty(sandbox);
  confidential = new RelyingParty(basicSandbox);
  posting = new RelyingParty(postSandbox);
  keyed = new RelyingParty(keySandbox);
});
afterAll(() =>
  Promise.all([sandbox, basicSandbox, postSandbox, keySandbox].map((running) => running.close())),
);

function secret(): { client_secret: string } {
  return { client_secret: basicSandbox.clients.web.clientSecret ?? '' };
}

async function keyProof(
  party: RelyingParty,
): Promise<{ client_assertion_type: string; client_assertion: string }> {
  const { key } = party.client;
  if (!key) throw new Error('this client has no key');
  return {
    client_assertion_type: assertionType,
    client_assertion: await assertion(key, party.sandbox.issuer),
  };
}

function withWeb(web: WebClientOptions, use: (party: RelyingParty) => Promise<void>): Promise<void> {
  return withSandbox({ web }, (other) => use(new RelyingParty(other)));
}

function robot(): Required<Pick<Sandbox['users'][number], 'key' | 'clientSecret' | 'pat'>> {
  const { key, clientSecret, pat } =
    sandbox.users.find(({ loginName }) => loginName === 'robot@acme.example') ?? {};
  if (!key || !clientSecret || !pat) throw new Error('the service user has all three');
  return { key, clientSecret, pat };
}

describe('Client authentication at the token endpoint', () => {
  const grant = { grant_type: 'refresh_token', refresh_token: 'any' };

  it('fails with 400 without a client id', async () => {
    const { status, json } = await client.token({ ...grant, client_id: undefined });
    expect(status).toBe(400);
    expect(json).toEqual({
      error: 'invalid_request',
      error_description: 'client_id or client_assertion must be provided',
    });
  });

  it('fails with 400 for an unknown client', async () => {
    const { status, json } = await client.token({ ...grant, client_id: '399999999999999999' });
    expect(status).toBe(400);
    expect(json).toEqual({ error: 'invalid_client', error_description: 'no active client not found' });
  });

  it.each([
    ['missing secret', {}, 'empty client secret'],
    ['wrong secret', { client_secret: 'wrong' }, 'invalid secret'],
  ])('fails with 400 for a %s', async (_case, form, error_description) => {
    const { status, json } = await confidential.token({ ...grant, ...form });
    expect(status).toBe(400);
    expect(json).toEqual({ error: 'invalid_client', error_description });
  });

  it('fails with 400 without the assertion', async () => {
    const { status, json } = await keyed.token(grant);
    expect(status).toBe(400);
    expect(json).toEqual({ error: 'invalid_client', error_description: 'empty client assertion' });
  });

  it('fails with 400 for an assertion that is not a JWT', async () => {
    const { status, json } = await keyed.token({
      ...grant,
      client_assertion_type: assertionType,
      client_assertion: 'a.b.c',
    });
    expect([status, json]).toEqual([400, { error: 'invalid_client' }]);
  });

  it.each(['/oauth/v2/token', '/oauth/v2/revoke', '/oauth/v2/device_authorization'])(
    'fails with 400 for another client_assertion_type at %s',
    async (path) => {
      const { client_assertion } = await keyProof(keyed);
      for (const client_assertion_type of ['jwt', '']) {
        const { status, json } = await new Browser().post(`${keySandbox.issuer}${path}`, {
          ...{ grant_type: 'refresh_token', refresh_token: 'any', token: 'any' },
          client_assertion,
          client_assertion_type,
        });
        const error_description = `invalid client_assertion_type ${client_assertion_type}`;
        expect([status, json]).toEqual([400, { error: 'invalid_request', error_description }]);
      }
    },
  );

  it('fails with 400 for a Basic header that cannot be decoded', async () => {
    const header = { authorization: `Basic ${Buffer.from('%zz:x').toString('base64')}` };
    const { status, json } = await client.token({ ...grant, client_id: undefined }, header);
    expect([status, json['error']]).toEqual([400, 'invalid_client']);
  });

  it('accepts the client_id of a client with NONE in form or Basic header, and ignores its client_secret', async () => {
    const inBody = await client.redeem(await client.code(), { client_secret: 'anything' });
    expect(inBody.status).toBe(200);
    const code = await client.code();
    const inHeader = await client.token(
      {
        client_id: undefined,
        grant_type: 'authorization_code',
        code,
        redirect_uri: client.redirectUri,
        code_verifier: verifier,
      },
      basic(client.client.clientId, ''),
    );
    expect(inHeader.status).toBe(200);
  });

  it.each(['basic', 'post'] as const)(
    'accepts BASIC and POST alike for a client registered as %s',
    async (authMethod) => {
      await withWeb({ authMethod }, async (party) => {
        const client_secret = party.client.clientSecret ?? '';
        const posted = await party.redeem(await party.code(), { client_secret });
        expect(posted.status).toBe(200);
        const { refresh_token } = tokensFrom(posted);
        const byHeader = await party.token(
          { client_id: undefined, grant_type: 'refresh_token', refresh_token },
          basic(party.client.clientId, client_secret),
        );
        expect(byHeader.status).toBe(200);
      });
    },
  );

  it('identifies a client with private_key_jwt by its assertion without client_id', async () => {
    const { status } = await keyed.redeem(await keyed.code(), {
      client_id: undefined,
      ...(await keyProof(keyed)),
    });
    expect(status).toBe(200);
  });
});

describe('With PKCE,', () => {
  const required = { error: 'invalid_request', error_description: 'code_verifier required' };
  const wrong = { error: 'invalid_grant', error_description: 'invalid code_verifier' };

  /** The client for each authentication method, and the parameters that authenticate it. */
  async function party(method: string): Promise<[RelyingParty, Record<string, string>]> {
    if (method === 'NONE') return [client, {}];
    if (method === 'BASIC') return [confidential, secret()];
    return method === 'POST'
      ? [posting, { client_secret: posting.client.clientSecret ?? '' }]
      : [keyed, await keyProof(keyed)];
  }
  const methods = ['NONE', 'BASIC', 'POST', 'private_key_jwt'];

  it.each(methods)(
    'a code with a challenge is refused without a verifier, with 400 invalid_request (%s)',
    async (method) => {
      const [one, proof] = await party(method);
      const { status, json } = await one.redeem(await one.code(), { code_verifier: undefined, ...proof });
      expect([status, json]).toEqual([400, required]);
    },
  );

  it.each(methods)(
    'a code with a challenge is refused for a wrong verifier, with 400 invalid_grant, and stays valid (%s)',
    async (method) => {
      const [one, proof] = await party(method);
      const code = await one.code();
      const { status, json } = await one.redeem(code, { code_verifier: 'wrong', ...proof });
      expect([status, json]).toEqual([400, wrong]);
      expect((await one.redeem(code, proof)).status).toBe(200);
    },
  );

  it.each(methods)('a code with a challenge is redeemed with the right verifier (%s)', async (method) => {
    const [one, proof] = await party(method);
    expect((await one.redeem(await one.code(), proof)).status).toBe(200);
  });

  it('the right verifier does not replace the client secret', async () => {
    const { status, json } = await confidential.redeem(await confidential.code());
    expect([status, json['error']]).toEqual([400, 'invalid_client']);
  });

  it('the right verifier does not replace the client assertion', async () => {
    const { status, json } = await keyed.redeem(await keyed.code());
    expect([status, json['error']]).toEqual([400, 'invalid_client']);
  });

  it('a verifier without a challenge is refused with 400 for NONE', async () => {
    const { status, json } = await client.redeem(await client.code(alice, noChallenge));
    expect(status).toBe(400);
    expect(json).toEqual({
      error: 'invalid_request',
      error_description: 'code_verifier unexpectedly provided',
    });
  });

  it.each(['BASIC', 'POST', 'private_key_jwt'])(
    'a verifier without a challenge is ignored for %s',
    async (method) => {
      const [one, proof] = await party(method);
      expect((await one.redeem(await one.code(alice, noChallenge), proof)).status).toBe(200);
    },
  );

  it('a code without a challenge is redeemed without a verifier even for NONE', async () => {
    const code = await client.code(alice, noChallenge);
    expect((await client.redeem(code, { code_verifier: undefined })).status).toBe(200);
  });

  it('the method plain is accepted', async () => {
    const plain = { code_challenge: 'plain-words', code_challenge_method: 'plain' };
    const code = await client.code(alice, plain);
    expect((await client.redeem(code, { code_verifier: 'other-words' })).json).toEqual(wrong);
    expect((await client.redeem(code, { code_verifier: 'plain-words' })).status).toBe(200);
  });
});

describe('At the token endpoint,', () => {
  it.each([
    ['grant_type missing', { grant_type: undefined }, 'invalid_request', 'grant_type missing'],
    ['grant_type unknown', { grant_type: 'password' }, 'unsupported_grant_type', 'password not supported'],
    [
      'grant not enabled on the app',
      { grant_type: 'urn:ietf:params:oauth:grant-type:device_code' },
      'unauthorized_client',
      'grant_type "urn:ietf:params:oauth:grant-type:device_code" not allowed',
    ],
    [
      'token exchange not enabled on the app',
      { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' },
      'unauthorized_client',
      'grant_type "urn:ietf:params:oauth:grant-type:token-exchange" not allowed',
    ],
    ['code missing', { grant_type: 'authorization_code' }, 'invalid_request', 'code missing'],
    [
      'redirect_uri missing',
      { grant_type: 'authorization_code', code: 'x' },
      'invalid_request',
      'redirect_uri missing',
    ],
    [
      'garbage code',
      {
        grant_type: 'authorization_code',
        code: 'garbage',
        redirect_uri: 'http://localhost:3000/auth/callback',
      },
      'invalid_request',
      'Errors.User.Code.Invalid',
    ],
    ['refresh_token missing', { grant_type: 'refresh_token' }, 'invalid_request', 'refresh_token missing'],
    [
      'garbage refresh token',
      { grant_type: 'refresh_token', refresh_token: 'garbage' },
      'invalid_request',
      'Errors.User.RefreshToken.Invalid',
    ],
    ...['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty'].map(
      (grant_type) =>
        [
          `grant_type unknown, a name every object has: ${grant_type}`,
          { grant_type },
          'unsupported_grant_type',
          `${grant_type} not supported`,
        ] as const,
    ),
  ])('a request gets 400 and JSON with the fault: %s', async (_case, form, error, error_description) => {
    const { status, json, headers } = await client.token(form);
    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/json');
    expect(json).toEqual({ error, error_description });
  });

  it('a refresh token grant that the application does not have is refused', async () => {
    await withWeb({ refreshTokenGrant: false }, async (party) => {
      const { json } = await party.refresh('any');
      expect(json).toEqual({
        error: 'unauthorized_client',
        error_description: 'grant_type "refresh_token" not allowed',
      });
    });
  });

  it('a redirect_uri that differs is refused', async () => {
    const answer = await client.redeem(await client.code(), {
      redirect_uri: 'http://localhost:3000/auth/callback/zitadel',
    });
    expect([answer.status, answer.json]).toEqual([
      400,
      { error: 'invalid_grant', error_description: 'redirect_uri does not correspond' },
    ]);
  });

  it('a code of another client is refused', async () => {
    const { status, json } = await client.redeem(await client.code(), {
      client_id: sandbox.clients.second.clientId,
    });
    expect([status, json]).toEqual([
      400,
      {
        error: 'invalid_client',
        error_description: 'client_id does not correspond to the client_id in the authorization request',
      },
    ]);
  });

  it('a code that is used twice is refused', async () => {
    const code = await client.code();
    expect((await client.redeem(code)).status).toBe(200);
    const { status, json } = await client.redeem(code);
    expect([status, json]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'Errors.AuthRequest.NoCode' },
    ]);
  });

  it.each(['expired', 'logged out'])('a code is refused when its session has %s', async (how) => {
    const party = new RelyingParty(sandbox);
    const { id_token } = await party.signIn();
    const { location } = await party.browser.get((await party.authorize()).location);
    const code = new URL(location).searchParams.get('code') ?? '';
    if (how === 'expired') sandbox.expire('sessions');
    else await party.endSession({ id_token_hint: id_token });
    const { status, json } = await party.redeem(code);
    expect([status, json['error']]).toEqual([400, 'invalid_request']);
  });

  it.each(['rotated', 'expired', 'revoked'])('a refresh token that is %s is refused', async (how) => {
    const { refresh_token } = await client.signIn();
    expect(await sandbox.ownerOf(refresh_token)).toEqual({
      loginName: alice,
      grantId: expect.stringContaining('V2_'),
    });
    if (how === 'rotated') await client.refresh(refresh_token);
    if (how === 'expired') sandbox.expire('refresh_tokens');
    if (how === 'revoked') await client.revoke(refresh_token);
    expect(await sandbox.ownerOf(refresh_token)).toBeUndefined();
    const { status, json } = await client.refresh(refresh_token);
    expect([status, json]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'Errors.OIDCSession.RefreshTokenInvalid' },
    ]);
  });

  it('a refresh token of another client is refused', async () => {
    const { refresh_token } = await client.signIn();
    const { status, json } = await client.refresh(refresh_token, {
      client_id: sandbox.clients.second.clientId,
    });
    expect([status, json]).toEqual([
      400,
      {
        error: 'invalid_client',
        error_description: 'client_id does not correspond to the client_id in the refresh token',
      },
    ]);
  });

  it('a scope that was not granted is refused', async () => {
    const { refresh_token } = await client.signIn(alice, { scope: 'openid offline_access' });
    const { status, json } = await client.refresh(refresh_token, { scope: 'openid email' });
    expect([status, json['error']]).toEqual([400, 'invalid_scope']);
  });

  it('a refresh for a deactivated or locked user is refused', async () => {
    const { refresh_token, access_token } = await client.signIn('bob@acme.example');
    sandbox.setUserActive('bob@acme.example', false);
    const { status, json } = await client.refresh(refresh_token);
    const info = await client.userinfo(access_token);
    sandbox.setUserActive('bob@acme.example', true);
    expect([status, json]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'Errors.User.NotActive' },
    ]);
    expect(info.status).toBe(401);
  });

  it('a request body that is too large is refused', async () => {
    const { status, json } = await client.token({ grant_type: 'x'.repeat(11_000_000) });
    expect([status, json['error_description']]).toEqual([400, 'error parsing form']);
  });
});

describe('The response of the token endpoint', () => {
  it('has access_token, token_type, expires_in, id_token and refresh_token, but no scope', async () => {
    const { body } = await client.signIn();
    expect(Object.keys(body).sort()).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'refresh_token',
      'token_type',
    ]);
    expect(body['token_type']).toBe('Bearer');
  });

  it('has expires_in 43199', async () => {
    expect((await client.signIn()).expires_in).toBe(43199);
  });

  it('has an access token and an ID token that live 12 h', async () => {
    const { access_token, claims } = await client.signIn();
    const { json } = await introspect(sandbox, access_token);
    expect(Number(json['exp']) - Number(json['iat'])).toBe(12 * 3600);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(12 * 3600);
  });

  describe('has a refresh token', () => {
    const hour = 3_600_000;
    const start = Date.now();
    let clock: jest.SpiedFunction<typeof Date.now>;
    beforeEach(() => {
      clock = jest.spyOn(Date, 'now');
    });
    afterEach(() => clock.mockRestore());

    it('that lives 720 h idle, reset on each refresh, and 2160 h in all', async () => {
      let { refresh_token } = await client.signIn();
      for (const hours of [719, 1438, 2157]) {
        clock.mockReturnValue(start + hours * hour);
        ({ refresh_token } = tokensFrom(await client.refresh(refresh_token)));
      }
      clock.mockReturnValue(start + 2161 * hour);
      const { json } = await client.refresh(refresh_token);
      expect(json['error_description']).toBe('Errors.OIDCSession.RefreshTokenInvalid');
    });

    it('that expires when it is idle for longer than 720 h', async () => {
      const { refresh_token } = await client.signIn();
      clock.mockReturnValue(start + 721 * hour);
      const { json } = await client.refresh(refresh_token);
      expect(json['error_description']).toBe('Errors.OIDCSession.RefreshTokenInvalid');
    });
  });

  it('has a refresh token whose idle and absolute lifetime options can shorten', async () => {
    const idle = await startSandbox({ refreshTokenIdleSeconds: 0 });
    const absolute = await startSandbox({ refreshTokenSeconds: 0 });
    const answers = await Promise.all(
      [idle, absolute].map(async (one) => {
        const party = new RelyingParty(one);
        return party.refresh((await party.signIn()).refresh_token);
      }),
    );
    await Promise.all([idle.close(), absolute.close()]);
    expect(answers.map(({ status }) => status)).toEqual([400, 400]);
  });

  it('has an access token whose lifetime setAccessTokenTtl() shortens', async () => {
    sandbox.setAccessTokenTtl(0);
    const dead = await client.signIn();
    sandbox.setAccessTokenTtl(60);
    const short = await client.signIn();
    sandbox.setAccessTokenTtl(43200);
    expect([dead.expires_in, short.expires_in]).toEqual([0, 59]);
    expect([await isActive(sandbox, dead.access_token), await isActive(sandbox, short.access_token)]).toEqual(
      [false, true],
    );
  });

  it('has an access token that expire() expires', async () => {
    const { access_token, refresh_token } = await client.signIn();
    sandbox.expire('access_tokens');
    expect(await isActive(sandbox, access_token)).toBe(false);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it('has an ID token with clockSkewSeconds added to exp and subtracted from iat and auth_time', async () => {
    await withWeb({ clockSkewSeconds: 5 }, async (party) => {
      const clock = jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000);
      const { claims } = await party.signIn();
      clock.mockRestore();
      expect([claims.iat, claims['auth_time']]).toEqual([1_799_999_995, 1_799_999_995]);
      expect(claims.exp).toBe(1_800_000_005 + 12 * 3600);
    });
  });

  it('has a JWT access token with clockSkewSeconds added to exp and subtracted from iat and nbf', async () => {
    await withWeb({ clockSkewSeconds: 5, accessTokenType: 'jwt' }, async (party) => {
      const clock = jest.spyOn(Date, 'now').mockReturnValue(1_800_000_000_000);
      const { access_token } = await party.signIn();
      clock.mockRestore();
      const { iat, nbf, exp } = decodeJwt(access_token);
      expect([iat, nbf, exp]).toEqual([1_799_999_995, 1_799_999_995, 1_800_000_005 + 12 * 3600]);
    });
  });
});

describe('A refresh', () => {
  it('is impossible without offline_access: there is no refresh token', async () => {
    expect((await client.signIn(alice, { scope: 'openid' })).body).not.toHaveProperty('refresh_token');
  });

  it('is impossible without the grant REFRESH_TOKEN of the application: there is no refresh token', async () => {
    await withWeb({ refreshTokenGrant: false }, async (party) => {
      expect((await party.signIn()).body).not.toHaveProperty('refresh_token');
    });
  });

  it('rotates: the old refresh token gets 400 invalid_request and the old access token is revoked', async () => {
    const first = await client.signIn();
    const second = tokensFrom(await client.refresh(first.refresh_token));
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await isActive(sandbox, first.access_token)).toBe(false);
    expect((await client.userinfo(first.access_token)).status).toBe(401);
    expect(await isActive(sandbox, second.access_token)).toBe(true);
    expect((await client.refresh(first.refresh_token)).json['error']).toBe('invalid_request');
  });

  it('has no reuse detection: a reused token fails and the newest stays valid', async () => {
    const first = await client.signIn();
    const second = tokensFrom(await client.refresh(first.refresh_token));
    expect((await client.refresh(first.refresh_token)).status).toBe(400);
    expect(await isActive(sandbox, second.access_token)).toBe(true);
    expect((await client.refresh(second.refresh_token)).status).toBe(200);
  });

  it('issues an ID token with the original nonce, auth_time, sid and amr', async () => {
    const first = await client.signIn();
    const second = tokensFrom(await client.refresh(first.refresh_token));
    expect(second.id_token).not.toBe(first.id_token);
    for (const claim of ['nonce', 'auth_time', 'sid', 'amr', 'sub', 'azp', 'aud']) {
      expect(second.claims[claim]).toEqual(first.claims[claim]);
    }
    expect(second.claims['nonce']).toBe('the-nonce');
  });

  it('limits a narrower scope to that access token: the next refresh has all scopes again', async () => {
    const first = await client.signIn(alice, { scope: 'openid email phone offline_access' });
    const second = tokensFrom(await client.refresh(first.refresh_token, { scope: 'openid' }));
    expect(second.refresh_token).not.toBe('');
    expect((await client.userinfo(second.access_token)).json).not.toHaveProperty('email');
    const third = tokensFrom(await client.refresh(second.refresh_token, { scope: 'openid email' }));
    const fourth = tokensFrom(await client.refresh(third.refresh_token));
    const info = (await client.userinfo(fourth.access_token)).json;
    expect(info).toHaveProperty('email');
    expect(info).toHaveProperty('phone_number');
    const wider = await client.refresh(fourth.refresh_token, { scope: 'openid profile' });
    expect([wider.status, wider.json['error']]).toEqual([400, 'invalid_scope']);
  });

  it('issues no ID token without openid', async () => {
    const answer = await client.redeem(await client.code(alice, { scope: 'profile offline_access' }));
    const refreshed = await client.refresh(tokensFrom(answer).refresh_token);
    expect([refreshed.status, 'id_token' in refreshed.json]).toEqual([200, false]);
  });
});

describe('In the formats of tokens,', () => {
  it('an opaque token has 5 parts, starts with eyJ and has 288 characters, and a code has 233', async () => {
    const code = await client.code();
    const { access_token, refresh_token } = tokensFrom(await client.redeem(code));
    for (const token of [access_token, refresh_token, code]) {
      expect(token.split('.')).toHaveLength(5);
      expect(token.startsWith('eyJ')).toBe(true);
      expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'A256GCMKW', enc: 'A256GCM' });
    }
    expect([access_token.length, code.length]).toEqual([288, 233]);
  });

  it('a truncated opaque token is refused', async () => {
    const { access_token } = await client.signIn();
    expect((await client.userinfo(access_token.slice(0, -1))).status).toBe(401);
    expect((await client.userinfo(access_token)).status).toBe(200);
  });

  it('a JWT has alg, kid and typ JWT in its header, and no scope, azp or profile claims', async () => {
    await withWeb({ accessTokenType: 'jwt' }, async (party) => {
      const { access_token } = await party.signIn();
      expect(access_token.split('.')).toHaveLength(3);
      const { alg, kid, typ } = decodeProtectedHeader(access_token);
      expect([alg, typ, /^\d{18}$/.test(kid ?? '')]).toEqual(['RS256', 'JWT', true]);
      const claims = decodeJwt(access_token);
      expect(Object.keys(claims).sort()).toEqual([
        'aud',
        'client_id',
        'exp',
        'iat',
        'iss',
        'jti',
        'nbf',
        'sub',
      ]);
      expect(claims.jti).toMatch(/^V2_\d+-at_\d+$/);
      expect((await party.userinfo(access_token)).json['name']).toBe('Alice Archer');
    });
  });

  it('a JWT has roles with accessTokenRoleAssertion, and metadata and resourceowner by scope', async () => {
    await withWeb({ accessTokenType: 'jwt', accessTokenRoleAssertion: true }, async (party) => {
      const scope = 'openid urn:zitadel:iam:user:metadata urn:zitadel:iam:user:resourceowner';
      const claims = decodeJwt((await party.signIn(alice, { scope })).access_token);
      expect(claims['urn:zitadel:iam:org:project:roles']).toHaveProperty('admin');
      expect(claims['urn:zitadel:iam:user:metadata']).toHaveProperty('team');
      expect(claims['urn:zitadel:iam:user:resourceowner:name']).toBe('Acme');
    });
  });
});

describe('The revocation endpoint', () => {
  it('revokes an access token with an empty 200', async () => {
    const { access_token, refresh_token } = await client.signIn();
    const { status, text } = await client.revoke(access_token);
    expect([status, text]).toEqual([200, '']);
    expect(await isActive(sandbox, access_token)).toBe(false);
    expect((await client.refresh(refresh_token)).status).toBe(200);
  });

  it('returns 200 for an unknown token', async () => {
    expect((await client.revoke('unknown')).status).toBe(200);
  });

  it('revokes the access token together with the refresh token', async () => {
    const { access_token, refresh_token } = await client.signIn();
    await client.revoke(refresh_token, { token_type_hint: 'refresh_token' });
    expect(await isActive(sandbox, access_token)).toBe(false);
    expect((await client.refresh(refresh_token)).status).toBe(400);
  });

  it('accepts every client in the audience of the token', async () => {
    const { access_token } = await client.signIn();
    await client.revoke(access_token, { client_id: sandbox.clients.second.clientId });
    expect(await isActive(sandbox, access_token)).toBe(false);
  });

  it('returns 401 invalid_client to a client outside the audience, as with a personal access token', async () => {
    const pat = robot().pat ?? '';
    const { status, json } = await client.revoke(pat);
    expect([status, json]).toEqual([
      401,
      { error: 'invalid_client', error_description: 'token was not issued for this client' },
    ]);
    expect(await isActive(sandbox, pat)).toBe(true);
  });

  it('requires client authentication and a token', async () => {
    const { json } = await new RelyingParty(basicSandbox).revoke('x');
    expect(json['error_description']).toBe('empty client secret');
    expect((await client.revoke('')).json).toEqual({
      error: 'invalid_request',
      error_description: 'token missing',
    });
  });

  it('revokes a JWT access token', async () => {
    await withWeb({ accessTokenType: 'jwt' }, async (party) => {
      const { access_token } = await party.signIn();
      await party.revoke(access_token);
      expect((await party.userinfo(access_token)).status).toBe(401);
    });
  });
});

describe('For service users,', () => {
  const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const robotId = '320000000000000014';
  let audience: string;
  beforeAll(() => {
    audience = `urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;
  });

  it('the JWT profile grant issues tokens', async () => {
    const answer = await client.token({
      client_id: undefined,
      grant_type: jwtBearer,
      assertion: await assertion(robot().key, sandbox.issuer),
      scope: `openid profile ${audience}`,
    });
    const { access_token, claims } = tokensFrom(answer);
    expect(claims.sub).toBe(robotId);
    expect(claims).not.toHaveProperty('amr');
    const { json } = await introspect(sandbox, access_token);
    expect(json).toMatchObject({ active: true, sub: robotId, username: 'robot@acme.example' });
    expect((await client.userinfo(access_token)).json).toEqual({
      sub: robotId,
      name: 'Robot',
      preferred_username: 'robot@acme.example',
      updated_at: expect.any(Number),
    });
  });

  it('the JWT profile grant refuses a request without an assertion', async () => {
    const { status, json } = await client.token({ grant_type: jwtBearer });
    expect([status, json['error_description']]).toEqual([400, 'assertion missing']);
  });

  it.each([
    ['for another audience', { aud: 'https://other.example' }],
    ['expired', { exp: 1 }],
    ['of an unknown user', { iss: '399999999999999999', sub: '399999999999999999' }],
    ['for another subject', { sub: '320000000000000011' }],
  ])('the JWT profile grant refuses an assertion with %s', async (_case, claims) => {
    const { status, json } = await client.token({
      grant_type: jwtBearer,
      assertion: await assertion(robot().key, sandbox.issuer, claims),
    });
    expect([status, json]).toEqual([400, { error: 'invalid_grant', error_description: 'invalid assertion' }]);
  });

  it('the client credentials grant takes the login name as client_id', async () => {
    const answer = await client.token({
      grant_type: 'client_credentials',
      client_id: 'robot@acme.example',
      client_secret: robot().clientSecret,
      scope: `openid ${audience}`,
    });
    expect(await isActive(sandbox, tokensFrom(answer).access_token)).toBe(true);
    expect(answer.json).not.toHaveProperty('refresh_token');
  });

  it.each([
    ['an unknown client', 'nobody@acme.example', 'x', 'invalid_client', 'client not found'],
    ['a human user', alice, 'x', 'invalid_request', 'Errors.User.Machine.Secret.NotExisting'],
    ['a wrong secret', 'robot@acme.example', 'x', 'invalid_request', 'Errors.User.Machine.Secret.Invalid'],
  ])(
    'the client credentials grant is refused for: %s',
    async (_case, client_id, client_secret, error, error_description) => {
      const { status, json } = await client.token({
        grant_type: 'client_credentials',
        client_id,
        client_secret,
      });
      expect([status, json]).toEqual([400, { error, error_description }]);
    },
  );

  it('the client credentials grant refuses a service user without a secret', async () => {
    const other = await startSandbox({ users: [{ loginName: 'mute', kind: 'machine', clientSecret: '' }] });
    const { json } = await new RelyingParty(other).token({
      grant_type: 'client_credentials',
      client_id: 'mute',
      client_secret: 'x',
    });
    await other.close();
    expect(json).toEqual({
      error: 'invalid_request',
      error_description: 'Errors.User.Machine.Secret.NotExisting',
    });
  });

  it.each(['client_credentials', jwtBearer])(
    'a token without the scope …:{projectId}:aud is inactive at introspection: %s',
    async (grant_type) => {
      const answer = await client.token({
        grant_type,
        client_id: 'robot@acme.example',
        client_secret: robot().clientSecret,
        assertion: await assertion(robot().key, sandbox.issuer),
        scope: 'openid',
      });
      expect(await isActive(sandbox, tokensFrom(answer).access_token)).toBe(false);
    },
  );

  it('a personal access token is a Bearer token', async () => {
    const { json } = await client.userinfo(robot().pat);
    expect(json).toMatchObject({ sub: robotId, preferred_username: 'robot@acme.example' });
  });

  it('a deactivated service user gets no token', async () => {
    sandbox.setUserActive('robot@acme.example', false);
    const { json } = await client.token({
      grant_type: 'client_credentials',
      client_id: 'robot@acme.example',
      client_secret: robot().clientSecret,
    });
    sandbox.setUserActive('robot@acme.example', true);
    expect(json['error_description']).toBe('Errors.User.NotActive');
  });

  it('accessTokenType selects JWT', async () => {
    const other = await startSandbox({
      users: [{ loginName: 'jay', kind: 'machine', accessTokenType: 'jwt' }],
    });
    const party = new RelyingParty(other);
    const answer = await party.token({
      grant_type: 'client_credentials',
      client_id: 'jay',
      client_secret: other.users[0]?.clientSecret,
      scope: 'openid',
    });
    await other.close();
    expect(tokensFrom(answer).access_token.split('.')).toHaveLength(3);
  });
});
