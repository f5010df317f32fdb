import { Controller, Get } from '@nestjs/common';
import Credentials from '@auth/core/providers/credentials';
import type { AuthConfig } from '@auth/core';
import type { Account } from '@auth/core/types';
import { CredentialsSignin } from '@auth/core/errors';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { freePort } from '../../../test/support/free-port.js';
import { choose } from '../../../test/support/sign-in.js';
import {
  AuthSession,
  RequireRoles,
  SignInFailed,
  type IAuthModuleOptions,
  type Session,
  type SessionToken,
} from '../src/index.js';
import { SessionCodec } from '../src/session/session-codec.js';
import { startHostileProvider } from '../../../test/support/hostile-provider.js';
import { startSite, type Site } from './support/site.js';
import { publicClientOf } from './support/tiny-app.js';

const ROLES = 'urn:zitadel:iam:org:project:roles';
const alice = 'alice@acme.example';
const aliceId = '320000000000000011';

@Controller()
class Pages {
  @Get('who')
  who(@AuthSession() session: Session) {
    return { id: session.user.id, roles: session.user.roles ?? null };
  }

  @Get('name')
  name(@AuthSession() session: Session) {
    return session.user.name;
  }

  @Get('admin')
  @RequireRoles('admin')
  admin() {
    return 'admin';
  }
}

let sandbox: Sandbox;
let port: number;
let site: Site;
let log: string[];

beforeAll(async () => {
  port = await freePort();
  const redirectUris = ['oidc', 'oauth'].map((id) => `http://localhost:${port}/auth/callback/${id}`);
  sandbox = await startSandbox({ web: { redirectUris } });
});
afterAll(() => sandbox.close());
afterEach(() => site.app.close());

const scope = `openid profile email ${ROLES}`;
const client = () => ({
  clientId: sandbox.clients.web.clientId,
  client: { token_endpoint_auth_method: 'none' as const },
  checks: ['pkce' as const, 'state' as const],
});
const oidc = (): IAuthModuleOptions['providers'][number] => ({
  ...client(),
  id: 'oidc',
  name: 'OpenID Connect',
  type: 'oidc',
  issuer: sandbox.issuer,
  authorization: { params: { scope } },
  idToken: false,
});

const issuedBy = (issuer: string) =>
  ({ ...oidc(), issuer }) as unknown as IAuthModuleOptions['providers'][number];

const start = async (auth: Partial<IAuthModuleOptions>) =>
  (site = await startSite(auth, [Pages], { port, log: (log = []) }));
const who = async () => JSON.parse((await site.browser.get('/who')).text) as unknown;

describe('the id of a user', () => {
  it('is the `sub` of an OpenID provider at every sign-in', async () => {
    const ids: unknown[] = [];
    const callbacks: AuthConfig['callbacks'] = {
      signIn: ({ user }) => {
        ids.push(user.id);
        return true;
      },
    };
    await start({ providers: [oidc()], callbacks });
    for (let time = 0; time < 2; time++) {
      const page = await choose(site.browser, await site.toProvider('/who'), alice);
      expect(page.url.pathname).toBe('/who');
      expect(JSON.parse(page.text)).toEqual({ id: aliceId, roles: null });
      await site.browser.jar.removeAllCookies();
    }
    expect(ids).toEqual([aliceId, aliceId]);
  });

  it('is what `profile()` of an OAuth provider returns', async () => {
    await start({
      providers: [
        {
          ...client(),
          id: 'oauth',
          name: 'OAuth',
          type: 'oauth',
          issuer: sandbox.issuer,
          authorization: { url: `${sandbox.issuer}/oauth/v2/authorize`, params: { scope: 'profile email' } },
          token: `${sandbox.issuer}/oauth/v2/token`,
          userinfo: `${sandbox.issuer}/oidc/v1/userinfo`,
          profile: ({ sub }: { sub: string }) => ({ id: `account-of-${sub}` }),
        },
      ],
    });
    await choose(site.browser, await site.toProvider('/who'), alice);
    expect(await who()).toEqual({ id: `account-of-${aliceId}`, roles: null });
  });
});

it.each([
  [undefined, ['code_challenge', 'code_challenge_method', 'nonce', 'state']],
  [
    ['pkce', 'state', 'nonce'],
    ['code_challenge', 'code_challenge_method', 'nonce', 'state'],
  ],
  [['nonce'], ['nonce', 'state']],
  [['pkce'], ['code_challenge', 'code_challenge_method', 'state']],
  [['none'], ['state']],
] as const)(
  'an authorization request has the checks %j of its provider, and always a state',
  async (checks, sent) => {
    const provider = { ...oidc(), checks: checks && [...checks] } as ReturnType<typeof oidc>;
    await start({ providers: [provider] });
    const { path } = await site.toProvider('/who');
    const asked = path.find(({ pathname }) => pathname === '/oauth/v2/authorize');
    const names = [...(asked?.searchParams.keys() ?? [])];
    expect(names.filter((name) => /^(code_challenge|nonce|state)/.test(name)).sort()).toEqual(sent);
  },
);

describe('the session of a sign-in', () => {
  it('is not decrypted by the next request, and shares nothing with the callbacks that made it', async () => {
    const open = jest.spyOn(SessionCodec.prototype, 'open');
    const user = { name: 'made' };
    await start({
      providers: [oidc()],
      callbacks: {
        jwt: ({ token, account }) => (account ? { ...token, made: user } : token),
        session: ({ session, token }) =>
          Object.assign(session, { user: { ...session.user, name: (token['made'] as typeof user).name } }),
      },
      events: { signIn: () => void (user.name = 'changed') },
    });
    const page = await choose(site.browser, await site.toProvider('/name'), alice);
    expect(page.text).toBe('made');
    expect(open.mock.results.filter(({ value }) => value !== null)).toEqual([]);
    open.mockRestore();
  });
});

describe('the roles of a user', () => {
  it('are what the option `roles` returns', async () => {
    await start({
      providers: [oidc()],
      roles: (profile, tokens) => [...Object.keys(profile[ROLES] as object), String(tokens.token_type)],
    });
    await choose(site.browser, await site.toProvider('/admin'), alice);
    expect(await who()).toEqual({
      id: aliceId,
      roles: expect.arrayContaining(['admin', 'editor', 'bearer']),
    });
    expect((await site.browser.get('/admin')).text).toBe('admin');
  });

  it.each([['admin'], [{ admin: {} }], [[{ name: 'admin' }]], [undefined]])(
    'must be a list of strings: %j fails the sign-in with a clear error',
    async (returned) => {
      await start({
        providers: [Credentials({ authorize: () => ({ id: 'u1' }) })],
        roles: () => returned as never,
      });
      const form = await site.browser.get('/admin');
      const page = await site.browser.submit(form, 'form[action*="/callback/credentials"]');
      expect(page.url.searchParams.get('reason')).toBe('provider_misconfigured');
      expect(log.join('\n')).toContain('The option `roles` must return a list of strings');
    },
  );

  it('can be those of a user of a credentials provider', async () => {
    await start({
      providers: [Credentials({ authorize: () => ({ id: 'u1', roles: ['admin'] }) })],
      roles: ({ roles }) => roles as string[],
    });
    await site.browser.submit(await site.browser.get('/admin'), 'form[action*="/callback/credentials"]');
    expect((await site.browser.get('/admin')).text).toBe('admin');
    expect(await who()).toEqual({ id: 'u1', roles: ['admin'] });
  });
});

describe('a wrong password', () => {
  class Locked extends CredentialsSignin {
    override code = 'locked';
  }
  const passwords = (authorize: () => null | never) => [
    Credentials({ credentials: { password: { type: 'password' } }, authorize }),
  ];

  it.each([
    ['credentials', () => null],
    [
      'locked',
      () => {
        throw new Locked();
      },
    ],
  ])('leads back to the sign-in page with the code %s', async (code, authorize) => {
    await start({ providers: passwords(authorize) });
    const signIn = await site.browser.get('/who?deep=1');
    const fields = { callbackUrl: '/who?deep=1' };
    const page = await site.browser.submit(signIn, 'form[action*="/callback/credentials"]', { fields });
    expect(page.status).toBe(200);
    expect(page.url.pathname).toBe('/auth/signin');
    const { error, code: found, callbackUrl } = Object.fromEntries(page.url.searchParams);
    expect({ error, found }).toEqual({ error: 'CredentialsSignin', found: code });
    expect(callbackUrl).toBe('/who?deep=1');
    expect(log.filter((line) => line.includes('ign-in failed'))).toEqual([]);
  });

  it('is no fault of the server where its class comes from a second copy of @auth/core', async () => {
    class CredentialsSignin extends Error {
      readonly type = 'CredentialsSignin';
      readonly code = 'locked';
    }
    const authorize = () => {
      throw new CredentialsSignin();
    };
    await start({ providers: passwords(authorize) });
    const form = await site.browser.get('/who?deep=1');
    const page = await site.browser.submit(form, 'form[action*="/callback/credentials"]', {
      fields: { callbackUrl: '/who?deep=1' },
    });
    expect([page.url.pathname, Object.fromEntries(page.url.searchParams)]).toEqual([
      '/auth/signin',
      { error: 'CredentialsSignin', code: 'locked', callbackUrl: '/who?deep=1' },
    ]);
    expect(log.filter((line) => line.includes('ign-in failed'))).toEqual([]);
  });

  it('is posted: another method is refused, and not logged', async () => {
    await start({ providers: passwords(() => null) });
    expect((await site.browser.get('/auth/callback/credentials')).status).toBe(405);
    expect(log.filter((line) => line.includes('ign-in failed'))).toEqual([]);
  });

  it('leads to the signIn page of the options', async () => {
    await start({ providers: passwords(() => null), pages: { signIn: '/own' } });
    const { csrfToken = '' } = JSON.parse((await site.browser.get('/auth/csrf')).text) as Record<
      string,
      string
    >;
    const { status, headers } = await site.browser.post('/auth/callback/credentials', { csrfToken });
    expect([status, headers['location']]).toEqual([
      302,
      `${site.origin}/own?error=CredentialsSignin&code=credentials`,
    ]);
  });
});

describe('a sign-in policy', () => {
  it('is asked about a sign-in with what it kept, and told of the session that the sign-in has replaced, also of one that had ended', async () => {
    const heard: unknown[] = [];
    const policy = {
      ...refusing('access_denied'),
      kept: () => ({ condition: 'kept' }),
      refusal: (_profile: unknown, kept: unknown, { id_token: idToken }: { id_token?: string }) =>
        void heard.push(['asked', kept, idToken !== undefined]),
      replaced: (
        { sub }: SessionToken,
        kept: unknown,
        { providerAccountId }: { providerAccountId: string },
      ) => void heard.push(['replaced', kept, sub === providerAccountId]),
    };
    const callbacks: AuthConfig['callbacks'] = {
      jwt: ({ token, account, session }) => {
        if (account) heard.push(['given', session]);
        return token;
      },
    };
    await start({ providers: [oidc()], signInPolicy: policy, callbacks });
    const given = ['given', { condition: 'kept' }];
    const asked = ['asked', { condition: 'kept' }, true];
    await choose(site.browser, await site.toProvider('/who'), alice);
    expect(heard.splice(0)).toEqual([asked, given]);
    await site.toProvider('/auth/signin');
    const replaced = ['replaced', { condition: 'kept' }, true];
    expect(heard.splice(0)).toEqual([asked, given, replaced]);
    const cookie = await site.browser.cookieHeader();
    const { csrfToken } = JSON.parse((await site.browser.get('/auth/csrf')).text) as { csrfToken: string };
    await site.browser.post('/auth/signout', { csrfToken });
    for (const pair of cookie.split('; ')) site.browser.jar.setCookieSync(pair, site.origin);
    await site.toProvider('/auth/signin');
    expect(heard).toEqual([asked, given, replaced]);
  });

  it('may decide what the jwt callback of a sign-in receives, and gets the session that a refused sign-in leaves', async () => {
    const heard: unknown[] = [];
    let isRefused = false;
    const policy = {
      ...refusing('access_denied'),
      kept: () => ({ condition: 'kept' }),
      carriedOver: (kept: object, current: SessionToken | null) => ({ ...kept, sub: current?.sub }),
      refusal: () => (isRefused ? ('access_denied' as const) : undefined),
      discard: (account: Account, kept: object, current: SessionToken | null) =>
        void heard.push([kept, current?.sub === account.providerAccountId]),
    };
    const callbacks: AuthConfig['callbacks'] = {
      jwt: ({ token, account, session }) => {
        if (account) heard.push([session, account.providerAccountId]);
        return token;
      },
    };
    await start({ providers: [oidc()], pages: { error: '/failed' }, signInPolicy: policy, callbacks });
    await choose(site.browser, await site.toProvider('/who'), alice);
    const [[first, sub] = []] = heard.splice(0) as [unknown, string][];
    expect(first).toEqual({ condition: 'kept', sub: undefined });
    await site.toProvider('/auth/signin');
    expect(heard.splice(0)).toEqual([[{ condition: 'kept', sub }, sub]]);
    isRefused = true;
    await site.toProvider('/auth/signin');
    expect(heard).toEqual([[{ condition: 'kept' }, true]]);
  });
});

describe('a failed sign-in', () => {
  it('shows a page with its reference and a link that leads to the requested page', async () => {
    await start({ providers: [oidc()], signInPolicy: refusing('access_denied') });
    const page = await choose(site.browser, await site.toProvider('/who'), alice);
    expect(page.url.pathname).toBe('/auth/error');
    expect(page.status).toBe(403);
    const reference = page.url.searchParams.get('ref') ?? '-';
    expect(log.join('\n')).toContain(`Sign-in failed (access_denied, reference ${reference}`);
    expect(page.document.querySelector('code')?.text).toBe(reference);
    expect(page.text).toContain('The sign-in was cancelled, or your account may not use this application.');
    expect(page.document.querySelector('a')?.text).toBe('Sign in again');
    expect(page.document.querySelectorAll('a').map((link) => link.getAttribute('href'))).toEqual([
      '/auth/signin?callbackUrl=%2Fwho',
      '/',
    ]);
    const foreign = await site.browser.get(
      '/auth/error?error=AccessDenied&callbackUrl=https://evil.example/',
    );
    expect(foreign.text).not.toContain('evil.example');
  });

  it.each([
    ['access_denied', 'AccessDenied'],
    ['organization_mismatch', 'AccessDenied'],
    ['provider_error', 'Configuration'],
  ] as const)(
    'with the reason %s has the error %s on a page for Auth.js, and the page that was asked for',
    async (reason, error) => {
      await start({ providers: [oidc()], pages: { error: '/failed' }, signInPolicy: refusing(reason) });
      const page = await choose(site.browser, await site.toProvider('/who'), alice);
      expect(page.url.pathname).toBe('/failed');
      expect(Object.fromEntries(page.url.searchParams)).toEqual({
        error,
        reason,
        ref: expect.stringMatching(/^[0-9a-f]{12}$/),
        callbackUrl: '/who',
      });
    },
  );

  it('passes the detail of the refusal to the error page, and leaves the session of the browser as it is', async () => {
    const refused: { refusal?: SignInFailed } = {};
    const policy = { ...refusing('access_denied'), refusal: () => refused.refusal };
    await start({ providers: [oidc()], pages: { error: '/failed' }, signInPolicy: policy });
    await choose(site.browser, await site.toProvider('/who'), alice);
    refused.refusal = new SignInFailed('factor_missing', { detail: 'mfa' });
    const page = await site.toProvider('/auth/signin');
    expect(Object.fromEntries(page.url.searchParams)).toMatchObject({
      reason: 'factor_missing',
      detail: 'mfa',
    });
    expect(await who()).toMatchObject({ id: aliceId });
  });

  it.each([
    ['is down', 'http://127.0.0.1:9', undefined],
    ['answers 503', undefined, { status: 503 }],
    ['hangs up', undefined, { hangUp: true }],
  ])('at a provider that %s can be tried again later', async (_name, issuer, fault) => {
    const provider = await startHostileProvider();
    try {
      if (fault) provider.fault('/.well-known/openid-configuration', fault);
      await start({ providers: [issuedBy(issuer ?? provider.issuer)] });
      const page = await site.toProvider('/who');
      expect(page.url.searchParams.get('reason')).toBe('provider_unavailable');
      expect(page.text).toContain('cannot be reached right now');
      expect(log.join('\n')).toContain('Sign-in failed (provider_unavailable');
    } finally {
      await provider.close();
    }
  });

  it('at the exchange of the code can be tried again later', async () => {
    const provider = await startHostileProvider();
    try {
      await start({ providers: [publicClientOf(provider)] });
      provider.fault('/oauth/v2/token', { status: 502 });
      expect((await site.toProvider('/who')).url.searchParams.get('reason')).toBe('provider_unavailable');
    } finally {
      await provider.close();
    }
  });

  it('shows no text from its query', async () => {
    await start({ providers: [oidc()] });
    const page = await site.browser.get('/auth/error?error=%3Cb%3Ex&reason=toString&ref=%3Ci%3E');
    expect([page.status, page.text.includes('<b>'), page.text.includes('<i>')]).toEqual([400, false, false]);
    expect(page.text).toContain('The sign-in failed');
  });
});

// Last: once it has seen such a provider, Auth.js asks every configuration of the process for an adapter.
describe('a sign-in by e-mail link', () => {
  const adapter = {
    useVerificationToken: () => Promise.resolve(null),
    createVerificationToken: (token: object) => Promise.resolve(token),
    getUserByEmail: () => Promise.resolve(null),
    getUser: () => Promise.resolve(null),
    createUser: (user: object) => Promise.resolve(user),
    updateUser: (user: object) => Promise.resolve(user),
  } as unknown as NonNullable<IAuthModuleOptions['adapter']>;
  const sent: URL[] = [];
  const email = {
    id: 'email',
    type: 'email',
    name: 'E-mail',
    from: 'app@acme.example',
    maxAge: 60,
    options: {},
    sendVerificationRequest: ({ url }: { url: string }) => Promise.resolve(void sent.push(new URL(url))),
  } as IAuthModuleOptions['providers'][number];

  const link = '/auth/callback/email?token=used&email=alice%40acme.example';

  it('leads to the page that the sign-in page was opened for', async () => {
    await start({ providers: [email], adapter });
    const form = await site.browser.get('/who?a=1');
    await site.browser.submit(form, 'form[action*="signin/email"]', {
      fields: { email: 'alice@acme.example' },
    });
    expect(sent.at(-1)?.searchParams.get('callbackUrl')).toBe(`${site.origin}/who?a=1`);
  });

  it('that was used before leads back to the sign-in page, which says so, and is no fault of the server', async () => {
    await start({ providers: [email], adapter });
    const page = await site.browser.get(`${link}&callbackUrl=${encodeURIComponent(`${site.origin}/who`)}`);
    expect([page.url.pathname, Object.fromEntries(page.url.searchParams)]).toEqual([
      '/auth/signin',
      { error: 'Verification', callbackUrl: '/who' },
    ]);
    expect(page.text).toContain('This link was used before');
    expect(page.document.querySelector('form input[name=callbackUrl]')?.getAttribute('value')).toBe('/who');
    expect(log.filter((line) => line.includes('ign-in failed'))).toEqual([]);
  });

  it('that was used before leads back to the own sign-in page of a program', async () => {
    await start({ providers: [email], adapter, pages: { signIn: '/own?by=link', error: '/failed' } });
    const addresses = [];
    for (const callbackUrl of ['', '&callbackUrl=https%3A%2F%2Fevil.example'])
      addresses.push((await site.browser.get(link + callbackUrl)).url.href);
    expect(addresses).toEqual(addresses.map(() => `${site.origin}/own?by=link&error=Verification`));
  });

  it.each([
    ['with a custom sign-in page', { signIn: '/own' }, 200],
    ['not with a custom verify-request page', { signIn: '/own', verifyRequest: '/sent' }, 404],
  ])('has a page after the link was sent: %s', async (_name, pages, status) => {
    await start({ providers: [email], adapter, pages });
    expect((await site.browser.get('/auth/verify-request')).status).toBe(status);
  });
});

const refusing = (reason: 'access_denied' | 'organization_mismatch' | 'provider_error') => ({
  checkProvider: () => Promise.resolve(),
  kept: () => ({}),
  refusal: () => reason,
  meaning: () => undefined,
  discard: () => undefined,
});
