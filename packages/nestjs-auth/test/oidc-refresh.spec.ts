import { Controller, Get, Req, Res } from '@nestjs/common';
import { customFetch, type AuthConfig } from '@auth/core';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { people } from '../../../test/support/hostile/people.js';
import { byHmac, byStranger, byUnknownKey } from '../../../test/support/hostile/signers.js';
import type { Mutation } from '../../../test/support/hostile/mutation.js';
import {
  clientId,
  startHostileProvider,
  type HostileProvider,
} from '../../../test/support/hostile-provider.js';
import {
  SessionService,
  type AuthenticatedRequest,
  type HttpResponse,
  type IAuthModuleOptions,
} from '../src/index.js';
import { OidcTokenEndpoint } from '../src/refresh/oidc-token-endpoint.js';
import { startSite, type Site } from './support/site.js';
import { bodyOf, program, publicClientOf } from './support/tiny-app.js';

const TOKEN = '/oauth/v2/token';
const KEYS = '/oauth/v2/keys';

@Controller()
class Pages {
  constructor(private readonly sessions: SessionService) {}

  @Get('who')
  who() {
    return 'somebody';
  }

  @Get('token')
  async token(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    const token = await this.sessions.freshToken(request, response);
    return { accessToken: token?.['accessToken'] ?? null, idToken: token?.['idToken'] ?? null };
  }

  @Get('renewed')
  async renewed(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    return { accessToken: (await this.sessions.renewedToken(request, response))?.['accessToken'] };
  }

  @Get('out')
  async out(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: HttpResponse) {
    await this.sessions.end(request, response);
    return 'out';
  }
}

let provider: HostileProvider;
let site: Site;
let log: string[];
beforeEach(async () => {
  provider = await startHostileProvider();
});
afterEach(async () => {
  await site.app.close();
  await provider.close();
});

const oidc = () => publicClientOf(provider);

/** Signs in with tokens that are due at once, unless `mutation` says otherwise. Returns the `Cookie` header of the session. */
async function signIn(
  auth: Partial<IAuthModuleOptions> = {},
  mutation: Mutation = { tokenAnswer: { expires_in: 0 } },
) {
  site = await startSite({ providers: [oidc()], ...auth }, [Pages], { log: (log = []) });
  provider.next(mutation);
  await site.toProvider('/who');
  return cookie();
}

async function cookie(): Promise<string> {
  const found = (await site.browser.cookies()).filter(({ key }) => key.includes('session-token'));
  return found.map((one) => one.cookieString()).join('; ');
}

/** What the session cookie holds. */
const content = (header: string) => site.app.resolved.codec.open(header.slice(header.indexOf('=') + 1));
const get = (path: string, header: string) => site.app.get(path, { cookie: header, ...program });
const refreshes = () => provider.grants('refresh_token').length;

describe('the refresh at an OpenID provider without options', () => {
  it('sends one request for ten concurrent requests and keeps the response for late ones', async () => {
    const before = await signIn({}, {});
    const signedInWith = provider.lastLogin.accessTokens.at(-1);
    expect(bodyOf(await get('/token', before).expect(200))).toEqual({
      accessToken: signedInWith,
      idToken: null,
    });
    expect(refreshes()).toBe(0);
    const tokens = await Promise.all(Array.from({ length: 10 }, () => get('/renewed', before).expect(200)));
    expect(refreshes()).toBe(1);
    const renewed = provider.lastLogin.accessTokens.at(-1);
    expect(renewed).not.toBe(signedInWith);
    expect(tokens.map(bodyOf)).toEqual(tokens.map(() => ({ accessToken: renewed })));
    // The cookie from before.
    expect(bodyOf(await get('/renewed', before).expect(200))).toEqual({ accessToken: renewed });
    expect(refreshes()).toBe(1);
  });

  it('happens on a guarded route when the access token is due, and the cookie gets the new tokens', async () => {
    // Auth.js takes functions that make a provider as well.
    const token = content(await signIn({ providers: [oidc as IAuthModuleOptions['providers'][number]] }));
    // The page that the sign-in led to.
    expect(refreshes()).toBe(1);
    expect(token?.accessToken).toBe(provider.lastLogin.accessTokens.at(-1));
    expect((token?.accessTokenEndsAt ?? 0) - Date.now() / 1000).toBeGreaterThan(43_000);
  });

  it('assumes a lifetime when the provider sends no expires_in', async () => {
    const before = await signIn({}, { tokenAnswer: { expires_in: undefined } });
    const { accessTokenEndsAt, accessTokenDueAt = 0 } = content(before) ?? {};
    expect(accessTokenEndsAt).toBeUndefined();
    expect(accessTokenDueAt).toBeGreaterThan(Date.now() / 1000);
    await get('/who', before).expect(200);
    expect(refreshes()).toBe(0);
  });

  it('is impossible without a refresh token', async () => {
    const before = await signIn({}, { tokenAnswer: { expires_in: 0, refresh_token: undefined } });
    expect(content(before)).not.toHaveProperty('accessToken');
    await get('/who', before).expect(200);
    await get('/renewed', before).expect(401);
    expect(refreshes()).toBe(0);
  });

  it('is off with refresh: false', async () => {
    const before = await signIn({ refresh: false });
    expect(content(before)).not.toHaveProperty('refreshToken');
    await get('/who', before).expect(200);
    await get('/renewed', before).expect(401);
    expect(refreshes()).toBe(0);
  });

  it('is off when the `jwt` callback stores the refresh token itself', async () => {
    const jwt: NonNullable<NonNullable<AuthConfig['callbacks']>['jwt']> = ({ token, account }) =>
      account ? { ...token, mine: { refresh_token: account.refresh_token } } : token;
    const before = await signIn({ callbacks: { jwt } });
    expect(content(before)).not.toHaveProperty('tokensFrom');
    await get('/who', before).expect(200);
    expect(refreshes()).toBe(0);
  });

  it('compares the `sub` of the provider, whatever the `jwt` callback stores', async () => {
    const before = await signIn({
      callbacks: { jwt: ({ token }) => ({ ...token, sub: 'of-the-database' }) },
    });
    await get('/renewed', before).expect(200);
  });
});

describe('the client at a refresh', () => {
  const secret = 'a secret of the client: with % and +';
  const privateKey = async () =>
    (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']))
      .privateKey;

  it.each([
    ['client_secret_basic', () => Promise.resolve({})],
    ['client_secret_post', () => Promise.resolve({})],
    ['client_secret_jwt', () => Promise.resolve({})],
    ['private_key_jwt', async () => ({ token: { clientPrivateKey: await privateKey() } })],
    ['none', () => Promise.resolve({ token: `${provider.issuer}${TOKEN}` })],
    // As of LinkedIn, whose method is in its own part.
    [
      'client_secret_post',
      () => Promise.resolve({ options: { client: { id_token_signed_response_alg: 'RS256' } } }),
    ],
  ])('authenticates by %s, as at the sign-in', async (method, more) => {
    const client = { token_endpoint_auth_method: method };
    const given = { ...oidc(), clientSecret: secret, client, ...(await more()) } as ReturnType<typeof oidc>;
    const before = await signIn({ providers: [given] }, {});
    await get('/renewed', before).expect(200);
    const [code, refresh] = ['authorization_code', 'refresh_token'].map((type) =>
      provider.grants(type).at(-1),
    );
    expect(refresh?.headers.authorization).toBe(code?.headers.authorization);
    expect(refresh?.form['client_secret']).toBe(code?.form['client_secret']);
    expect(typeof refresh?.form['client_assertion']).toBe(typeof code?.form['client_assertion']);
  });

  it('uses the `customFetch` of the application', async () => {
    const fetched: string[] = [];
    const ownFetch: typeof fetch = (input, init) => {
      fetched.push(new URL(input instanceof Request ? input.url : String(input)).pathname);
      return fetch(input, init);
    };
    const before = await signIn(
      { providers: [{ ...oidc(), [customFetch]: ownFetch } as ReturnType<typeof oidc>] },
      {},
    );
    fetched.length = 0;
    await get('/renewed', before).expect(200);
    expect(fetched).toEqual(['/.well-known/openid-configuration', KEYS, TOKEN]);
  });

  it('reads the metadata again after an hour', async () => {
    const endpoint = OidcTokenEndpoint.of(oidc());
    const documents = () => provider.requestsTo('/.well-known/openid-configuration').length;
    await signIn({}, {});
    const before = documents();
    const refused = () =>
      expect(endpoint?.refresh('unknown', { sub: 'sub' })).rejects.toMatchObject({
        reason: 'refresh_rejected',
      });
    await refused();
    await refused();
    expect(documents()).toBe(before + 1);
    const now = Date.now();
    const clock = jest.spyOn(Date, 'now').mockReturnValue(now + 3_601_000);
    await refused().finally(() => clock.mockRestore());
    expect(documents()).toBe(before + 2);
  });
});

describe('the HS256 signature of a refreshed ID token', () => {
  const secret = 'a secret of the client that is long enough for HS256';
  const withSecret = () => ({ ...oidc(), clientSecret: secret, client: {} }) as ReturnType<typeof oidc>;

  beforeEach(async () => {
    await provider.close();
    const algorithms = { id_token_signing_alg_values_supported: ['RS256', 'HS256'] };
    provider = await startHostileProvider({ metadata: (original) => ({ ...original, ...algorithms }) });
  });

  it.each([
    ['the client secret', secret, 200],
    ['another secret', `${secret}!`, 401],
  ])('made with %s leads to %i', async (_name, key, status) => {
    const before = await signIn(
      { providers: [withSecret()] },
      { refresh: { idToken: { sign: byHmac(() => key) } } },
    );
    await get('/renewed', before).expect(status);
  });

  it('is refused for a client without a secret', async () => {
    const before = await signIn({}, { refresh: { idToken: { sign: byHmac(() => clientId) } } });
    await get('/renewed', before).expect(401);
  });
});

describe('a provider that cannot refresh', () => {
  it.each([
    ['503', TOKEN, { status: 503, headers: { 'retry-after': '7' } }],
    ['429', TOKEN, { status: 429 }],
    ['a closed connection', TOKEN, { hangUp: true }],
    ['no keys', KEYS, { status: 500 }],
    ['no metadata', '/.well-known/openid-configuration', { status: 500 }],
  ])('does not end the session: %s', async (_name, path, fault) => {
    const before = await signIn({}, {});
    provider.fault(path, fault);
    const answer = await get('/renewed', before).expect(503);
    expect(bodyOf(answer)).toMatchObject({ message: 'The identity provider cannot be reached' });
    await get('/who', before).expect(200);
    expect(log.filter((line) => line.includes('Could not refresh tokens'))).toHaveLength(1);
  });

  it('gets no further request for two seconds', async () => {
    const before = await signIn({}, {});
    provider.fault(TOKEN, { status: 503 });
    await get('/renewed', before).expect(503);
    await get('/renewed', before).expect(503);
    expect(refreshes()).toBe(1);
    const backoff = () => new Promise((resolve) => setTimeout(resolve, 2_100));
    await backoff();
    await get('/renewed', before).expect(503);
    expect(log.filter((line) => line.includes('Could not refresh tokens'))).toHaveLength(1);
    provider.fault(TOKEN, null);
    await backoff();
    await get('/renewed', before).expect(200);
    expect(refreshes()).toBe(3);
  });

  it('and refuses the client does not end the session', async () => {
    const before = await signIn({}, {});
    provider.fault(TOKEN, { status: 400, body: '{"error":"invalid_client"}' });
    await get('/renewed', before).expect(503);
    await get('/who', before).expect(200);
  });
});

describe('a session', () => {
  it('ends when its refresh token is refused', async () => {
    const before = await signIn({}, {});
    provider.forgetRefreshTokens();
    const answer = await get('/renewed', before).expect(401);
    expect(bodyOf(answer)).toMatchObject({ code: 'AUTH_SESSION_ENDED', reason: 'refresh_rejected' });
    await get('/who', before).expect(401);
  });

  it.each([
    ['of another user', { claims: { sub: people.mallory.sub } }],
    ['for another client', { claims: { aud: 'other', azp: undefined } }],
    ['that has expired', { claims: { exp: 1 } }],
    ['signed with an unpublished key', { sign: byStranger() }],
    ['signed with an unknown key', { sign: byUnknownKey }],
    ['signed with the client ID as secret', { sign: byHmac(() => clientId) }],
  ])('ends when the ID token of the refresh is one %s', async (_name, idToken) => {
    const before = await signIn({}, { refresh: { idToken } });
    expect(bodyOf(await get('/renewed', before).expect(401))).toMatchObject({ reason: 'refresh_rejected' });
    await get('/who', before).expect(401);
  });

  it('does not end when the issuer of the refreshed ID token is another one, whose tokens are not used', async () => {
    const before = await signIn({}, { refresh: { idToken: { claims: { iss: 'https://evil.example' } } } });
    await get('/renewed', before).expect(503);
    await get('/who', before).expect(200);
    expect(log.join('\n')).toContain('issuer');
  });

  it('goes on where the ID tokens have the tenant of the user in their issuer, as at Microsoft', async () => {
    const tenant = { iss: `${provider.issuer}/acme` };
    const token = content(await signIn({}, { refresh: { idToken: { claims: tenant } } }));
    expect(token?.tokensFrom).toMatchObject({ iss: provider.issuer });
    // What a sign-in at Microsoft stores: Auth.js has checked that issuer.
    const subject = { sub: token?.tokensFrom?.sub ?? '', ...tenant };
    const answer = await OidcTokenEndpoint.of(oidc())?.refresh(token?.refreshToken ?? '', subject);
    expect(answer?.access_token).toBe(provider.lastLogin.accessTokens.at(-1));
  });

  it('does not end when the refresh response has no ID token', async () => {
    const before = await signIn({}, { refresh: { tokenAnswer: { id_token: undefined } } });
    await get('/renewed', before).expect(200);
  });

  it('ends at the sign-out for every copy of its cookie, without a configured store', async () => {
    const before = await signIn({}, {});
    await get('/out', before).expect(200);
    expect(bodyOf(await get('/who', before).expect(401))).toMatchObject({ reason: 'revoked' });
  });
});
