import { resolve } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { customFetch } from '@auth/core';
import Discord from '@auth/core/providers/discord';
import NetSuite from '@auth/core/providers/netsuite';
import Spotify from '@auth/core/providers/spotify';
import { AuthModule, customFetch as exported } from '../src/index.js';
import { mergedProvider } from '../src/provider-options.js';
import { options, secret, TinyApp } from './support/tiny-app.js';

let app: TinyApp | undefined;
afterEach(() => app?.close());

const [provider] = options.providers;
const start = (auth: object, log: string[] = []) => TinyApp.start({ auth: auth, log });

const idp = 'http://localhost:9';
const email = { id: 'email', name: 'E-mail', type: 'email' };
const without = (name: string) => ({ ...(provider as object), [name]: undefined });

describe('invalid options', () => {
  it.each([
    ['origin', { origin: undefined }],
    ['origin', { origin: 'app.example' }],
    ['origin', { origin: 'ftp://app.example' }],
    ...['/base', '?a=1', '#top'].map((rest) => ['origin', { origin: `https://app.example${rest}` }] as const),
    ['origin', { origin: 'https://user:secret@app.example' }],
    ['mountPath', { mountPath: 'base/' }],
    ['defaultReturnTo', { defaultReturnTo: 'https://evil.example/' }],
    ['defaultReturnTo', { mountPath: '/base', defaultReturnTo: '/other' }],
    ['secret', { secret: undefined }],
    ['secret', { secret: [secret, 'short'] }],
    ['providers', { providers: undefined }],
    ['providers[0]', { providers: [{ name: 'No id' }] }],
    ['providers[0]', { providers: [() => undefined] }],
    ['providers', { providers: [provider, { ...(provider as object) }] }],
    ['providers[0]', { providers: [without('clientId')] }],
    ['providers[0]', { providers: [{ ...without('clientId'), options: { clientId: undefined } }] }],
    ['providers[0]', { providers: [without('issuer')] }],
    ['providers[0]', { providers: [email] }],
    ['redirectProxyUrl', { redirectProxyUrl: 'https://proxy.example/auth' }],
    ['session', { session: 'jwt' }],
    ['session.strategy', { session: { strategy: 'database' } }],
    ['session.maxAge', { session: { maxAge: 30 * 86_400 } }],
    ['session.maxAge', { session: { maxAge: '1h' } }],
    ['session.maxLifetime', { session: { maxLifetime: 0 } }],
    ['session.maxCookies', { session: { maxCookies: 5 } }],
    ['property', { property: '' }],
    ['pages', { pages: '/login' }],
    ['pages.signIn', { pages: { signIn: 'login' } }],
    ['pages.error', { pages: { error: '//evil.example' } }],
    ['callbacks', { callbacks: { jwt: 'x' } }],
    ['events', { events: { session: 'x' } }],
    ['logger', { logger: { error: 'x' } }],
    ['refresh', { refresh: { isDue: () => false } }],
    ['reload', { reload: {} }],
    ['revocations', { revocations: { isRevoked: () => false } }],
    ['signInPolicy', { signInPolicy: {} }],
    ['observer', { observer: { signedIn: () => undefined } }],
    ['authorizationParams', { authorizationParams: {} }],
    ['roles', { roles: 'roles' }],
    ['credentials', { credentials: { takenBy: () => 'beside' } }],
    ['rolesRefusal', { rolesRefusal: 'x' }],
    ['discard', { discard: 'x' }],
    ['resume', { resume: 'x' }],
    ['failurePage', { failurePage: '/failed' }],
  ])('are refused with the name `%s`: %j', async (name, auth) => {
    await expect(start(auth)).rejects.toThrow(`AuthModule: \`${name}\``);
  });

  it('are all named in one error', async () => {
    const refusal = start({ origin: '', secret: '', session: { maxCookies: 0 } });
    await expect(refusal).rejects.toThrow(/`origin`.*\n.*`secret`.*\n.*`session\.maxCookies`/);
  });

  it('about a provider say what is missing, and of which provider', async () => {
    await expect(start({ providers: [without('clientId')] })).rejects.toThrow('(`idp`) has no `clientId`');
    await expect(start({ providers: [without('issuer')] })).rejects.toThrow('(`idp`) has no `issuer`');
    await expect(start({ providers: [email] })).rejects.toThrow('(`email`) needs the option `adapter`');
    await expect(start({ origin: 'https://app.example/base' })).rejects.toThrow('`mountPath`');
  });

  it('include a provider that answers by POST, and a redirect proxy', async () => {
    const params = { response_mode: 'form_post' };
    const asObject = { ...without('authorization'), authorization: { params } };
    const asText = { ...without('authorization'), authorization: `${idp}/a?response_mode=form_post` };
    const proxied = { ...without('authorization'), redirectProxyUrl: 'https://proxy.example/auth' };
    for (const provider of [asObject, asText])
      await expect(start({ providers: [provider] })).rejects.toThrow(
        '(`idp`) asks for `response_mode=form_post`',
      );
    await expect(start({ providers: [proxied] })).rejects.toThrow('(`idp`) has a `redirectProxyUrl`');
    const overridden = { authorization: { params: { response_mode: 'query' } } };
    app = await start({
      providers: [{ ...asObject, options: { ...overridden, clientId: 'x', issuer: idp } }],
    });
  });

  it('do not include a provider with its members in `options`, or with endpoints in place of `issuer`', async () => {
    const endpoints = { authorization: `${idp}/a`, token: { url: `${idp}/t` }, userinfo: `${idp}/u` };
    const given = { ...without('issuer'), ...endpoints };
    const inOptions = { id: 'other', name: 'Other', type: 'oidc', options: { clientId: 'x', issuer: idp } };
    app = await start({ providers: [given, inOptions] });
  });

  it.each(['/', '', '//', '/a b', '/:id', 5 as never])('include the base path %j', (basePath) => {
    expect(() => AuthModule.register(options, { basePath })).toThrow('AuthModule: `basePath`');
  });

  it('include missing options', async () => {
    const none = AuthModule.registerAsync({ useFactory: () => undefined as never });
    await expect(TinyApp.start({ imports: [none] })).rejects.toThrow('the options are missing');
  });
});

describe('the options of a provider', () => {
  const authorization = { params: { scope: 'one two' } };
  const own = { clientId: 'x', clientSecret: 'y', authorization };
  const suite = { ...own, accountID: '7', userinfo: 'https://7.example/u', profile: () => ({}) } as never;

  it.each([
    ['as an object', Discord(own), 'https://discord.com/api/oauth2/authorize'],
    ['as a text', Spotify(own), 'https://accounts.spotify.com/authorize'],
    ['among its options', NetSuite(suite), 'https://7.app.netsuite.com/app/login/oauth2/authorize.nl'],
  ])('ask for other scopes at an endpoint that it has %s', async (_, other, endpoint) => {
    app = await start({ providers: [other] });
    const csrf = await app.get('/auth/csrf');
    const cookie = csrf.get('set-cookie')?.[0]?.split(';', 1)[0] ?? '';
    const answer = await app.post(`/auth/signin/${other.id}`, csrf.body as object, { cookie });
    const { origin, pathname, searchParams } = new URL(answer.get('location') ?? '');
    expect(origin + pathname).toBe(endpoint);
    expect(searchParams.get('scope')).toBe('one two');
  });

  it('add to each endpoint, and replace it by another address', () => {
    const endpoints = { token: { params: { a: 'b' } }, userinfo: { url: 'https://other.example/me' } };
    const provider = mergedProvider(Spotify({ ...own, ...endpoints } as never));
    expect(provider['authorization']).toEqual({
      url: 'https://accounts.spotify.com/authorize?scope=user-read-email',
      ...authorization,
    });
    expect(provider['token']).toEqual({ url: 'https://accounts.spotify.com/api/token', params: { a: 'b' } });
    expect(provider['userinfo']).toEqual(endpoints.userinfo);
  });

  it('count where they ask for an answer by POST', async () => {
    const posted = { authorization: { params: { response_mode: 'form_post' } } };
    await expect(start({ providers: [Discord({ ...own, ...posted })] })).rejects.toThrow('form_post');
    app = await start({ redirectProxyUrl: '' });
  });
});

describe('an option of Auth.js without effect', () => {
  it.each([
    ['`skipCSRFCheck` has no effect: every form post is checked', { skipCSRFCheck: Symbol('skip-check') }],
    ['`useSecureCookies` has no effect: cookies are not `Secure`', { useSecureCookies: true }],
    [
      '`useSecureCookies` has no effect: cookies are `Secure`',
      { origin: 'https://app.example', useSecureCookies: false },
    ],
    ['`trustHost` has no effect', { trustHost: false }],
    ['`globalGuard` has no effect', { globalGuard: false }],
    ['`rolesGuard` has no effect', { rolesGuard: false }],
    ['`basePath` has no effect', { basePath: '/login' }],
    ['`jwt` has no effect', { jwt: {} }],
    ['`session.updateAge` has no effect', { session: { updateAge: 60 } }],
    ['`providers` is empty', { providers: [] }],
  ])('leads to the warning: %s', async (warning, auth) => {
    const log: string[] = [];
    app = await start(auth, log);
    expect(log.join('\n')).toContain(warning);
  });

  it('is not reported for options with effect', async () => {
    const log: string[] = [];
    app = await start({ trustHost: true }, log);
    expect(log.join('\n')).not.toContain('has no effect');
  });
});

describe('two copies of @auth/core', () => {
  it.each([
    [
      'customFetch of a provider',
      (symbols: Symbols) => ({ providers: [{ ...(provider as object), [symbols.customFetch]: fetch }] }),
    ],
    [
      'customFetch of its options',
      (symbols: Symbols) => ({
        providers: [{ ...(provider as object), options: { [symbols.customFetch]: fetch } }],
      }),
    ],
    ['skipCSRFCheck', (symbols: Symbols) => ({ skipCSRFCheck: symbols.skipCSRFCheck })],
  ])('are refused with an error that names the command to find them: %s', async (_name, optionsWith) => {
    const other = await secondCopy();
    await expect(start(optionsWith(other))).rejects.toThrow(/second copy of @auth\/core.*npm ls @auth\/core/);
    app = await start({ providers: [{ ...(provider as object), [customFetch]: fetch }] });
  });

  it('are avoided by the re-export of customFetch', () => {
    expect(exported).toBe(customFetch);
  });
});

interface Symbols {
  customFetch: symbol;
  skipCSRFCheck: symbol;
}

/** Another instance of the modules, as Node.js loads for another folder. */
async function secondCopy(): Promise<Symbols> {
  // Not by its name, which is that of a bundle in tests.
  return (await import(resolve('node_modules/@auth/core/lib/symbols.js?copy'))) as Symbols;
}
