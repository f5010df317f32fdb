import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { hiddenInput, type Answer } from './support/browser.js';
import { alice, bob, carol, introspect, RelyingParty, tokensFrom } from './support/relying-party.js';

const home = 'http://localhost:3000/auth/logout/callback';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

async function signedIn(loginName = alice): Promise<{ client: RelyingParty; idToken: string }> {
  const client = new RelyingParty(sandbox);
  const { id_token } = await client.signIn(loginName);
  return { client, idToken: id_token };
}

/** Whether an authorization request finds a session in this browser. */
async function hasSession(client: RelyingParty): Promise<boolean> {
  const { status } = await client.browser.get((await client.authorize()).location);
  return status === 302;
}

function refused(answer: Answer, description: string): void {
  expect(answer).toMatchObject({
    status: 400,
    location: '',
    json: { error: 'invalid_request', error_description: description },
  });
}

describe('At the end_session endpoint,', () => {
  it('a valid hint with a registered URI ends the session and redirects to the URI with the state', async () => {
    const { client, idToken } = await signedIn();
    const { status, location } = await client.endSession({
      id_token_hint: idToken,
      post_logout_redirect_uri: home,
      state: 'a b&c',
    });
    expect([status, location]).toEqual([302, `${home}?state=a+b%26c`]);
    expect(await hasSession(client)).toBe(false);
  });

  it('a valid hint with a registered URI also works by POST', async () => {
    const { client, idToken } = await signedIn();
    const { status, location } = await client.browser.post(`${sandbox.issuer}/oidc/v1/end_session`, {
      id_token_hint: idToken,
      client_id: client.client.clientId,
      post_logout_redirect_uri: home,
      state: 's',
    });
    expect([status, location]).toEqual([302, `${home}?state=s`]);
  });

  it('the state is appended to an existing query, and none is appended without a state', async () => {
    const uri = 'http://localhost:3000/bye?from=here';
    const other = await startSandbox({ web: { postLogoutRedirectUris: [uri] } });
    const client = new RelyingParty(other);
    const { id_token } = await client.signIn();
    const one = await client.endSession({
      id_token_hint: id_token,
      post_logout_redirect_uri: uri,
      state: 's',
    });
    const two = await client.endSession({ id_token_hint: id_token, post_logout_redirect_uri: uri });
    await other.close();
    expect([one.location, two.location]).toEqual([`${uri}&state=s`, uri]);
  });

  it('an expired hint is accepted', async () => {
    sandbox.setIdTokenTtl(-60);
    const { client, idToken } = await signedIn();
    sandbox.setIdTokenTtl(43200);
    expect(decodeJwt(idToken).exp).toBeLessThan(Date.now() / 1000);
    const { status } = await client.endSession({ id_token_hint: idToken, post_logout_redirect_uri: home });
    expect([status, await hasSession(client)]).toEqual([302, false]);
  });

  it('a hint of an ended session gets the same redirect', async () => {
    const { client, idToken } = await signedIn();
    const parameters = { id_token_hint: idToken, post_logout_redirect_uri: home, state: 's' };
    await client.endSession(parameters);
    const { status, location } = await client.endSession(parameters);
    expect([status, location]).toEqual([302, `${home}?state=s`]);
  });

  it('a hint signed with a retired key is accepted', async () => {
    const { client, idToken } = await signedIn();
    await sandbox.rotateKeys();
    expect((await client.endSession({ id_token_hint: idToken, post_logout_redirect_uri: home })).status).toBe(
      302,
    );
  });

  it('a hint that is not a JWT is refused', async () => {
    const { client } = await signedIn();
    refused(await client.endSession({ id_token_hint: 'garbage' }), 'id_token_hint invalid');
    expect(await hasSession(client)).toBe(true);
  });

  it('a hint with an unknown key gets 404, as after the deletion of a key', async () => {
    const { client, idToken } = await signedIn();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const header of [{ alg: 'RS256', kid: '399999999999999999' }, { alg: 'RS256' }]) {
      const hint = await new SignJWT(decodeJwt(idToken)).setProtectedHeader(header).sign(privateKey);
      const { status, json } = await client.endSession({ id_token_hint: hint });
      expect([status, json['error_description']]).toEqual([404, 'Errors.WebKey.NotFound']);
    }
    expect(await hasSession(client)).toBe(true);
  });

  it('a hint with an invalid signature is refused', async () => {
    const { client, idToken } = await signedIn();
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [header = ''] = idToken.split('.');
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    const forged = await new SignJWT(decodeJwt(idToken))
      .setProtectedHeader({ alg: 'RS256', kid })
      .sign(privateKey);
    const { status, json } = await client.endSession({ id_token_hint: forged });
    expect([status, json['error_description']]).toEqual([500, 'Errors.Internal']);
  });

  it('a hint of another issuer is refused', async () => {
    const other = await startSandbox();
    const { id_token } = await new RelyingParty(other).signIn();
    await other.close();
    const { client } = await signedIn();
    refused(await client.endSession({ id_token_hint: id_token }), 'id_token_hint invalid');
  });

  it('a JWT of this issuer that is not an ID token is refused as a hint', async () => {
    const other = await startSandbox({ web: { accessTokenType: 'jwt' } });
    const client = new RelyingParty(other);
    const { access_token } = await client.signIn();
    const answer = await client.endSession({ id_token_hint: access_token });
    await other.close();
    refused(answer, 'id_token_hint invalid');
  });

  it('a client_id that differs from the azp of the hint is refused', async () => {
    const { client, idToken } = await signedIn();
    refused(
      await client.endSession({ id_token_hint: idToken, client_id: sandbox.clients.second.clientId }),
      'client_id does not match azp of id_token_hint',
    );
    expect(await hasSession(client)).toBe(true);
  });

  it.each(['hint', 'client_id'])(
    'a URI that is not registered gets 400 without a redirect (by %s)',
    async (by) => {
      const { client, idToken } = await signedIn();
      refused(
        await client.endSession({
          ...(by === 'hint' ? { id_token_hint: idToken } : { client_id: client.client.clientId }),
          post_logout_redirect_uri: 'http://localhost:3000/elsewhere',
        }),
        'post_logout_redirect_uri invalid',
      );
      expect(await hasSession(client)).toBe(true);
    },
  );

  it('an unknown client_id is refused', async () => {
    const { client } = await signedIn();
    refused(await client.endSession({ client_id: '399999999999999999' }), 'Errors.App.NotFound');
  });

  it('a URI without hint and client_id is ignored, and the page of Login V2 gets the state', async () => {
    const { client } = await signedIn();
    const { status, location } = await client.endSession({ post_logout_redirect_uri: home, state: 's' });
    const { pathname, searchParams } = new URL(location);
    expect([status, pathname]).toEqual([302, '/ui/v2/login/logout']);
    expect(searchParams.get('post_logout_redirect')).toBe('/ui/login/logout/done?state=s');
    expect(await hasSession(client)).toBe(true);
  });

  it('a hint without a URI ends the session and redirects to the default page', async () => {
    const { client, idToken } = await signedIn();
    const { location } = await client.endSession({ id_token_hint: idToken });
    expect([location, await hasSession(client)]).toEqual([`${sandbox.issuer}/logout/done`, false]);
  });

  it('Dev Mode enables globs for the post-logout URI, without **', async () => {
    const postLogoutRedirectUris = ['http://localhost:*/bye', 'http://localhost:3000/**'];
    const other = await startSandbox({ web: { postLogoutRedirectUris } });
    const client = new RelyingParty(other);
    const { id_token } = await client.signIn();
    const end = async (uri: string): Promise<number> =>
      (await client.endSession({ id_token_hint: id_token, post_logout_redirect_uri: uri })).status;
    const statuses = [await end('http://localhost:4711/bye'), await end('http://localhost:3000/a/b')];
    await other.close();
    expect(statuses).toEqual([302, 400]);
  });
});

describe('Without a hint, with Login V2,', () => {
  async function logoutPage(client: RelyingParty, more: Record<string, string> = {}): Promise<URL> {
    const { status, location } = await client.endSession({
      client_id: client.client.clientId,
      post_logout_redirect_uri: home,
      state: 's',
      ...more,
    });
    expect(status).toBe(302);
    return new URL(location);
  }

  it('the end_session endpoint redirects to /ui/v2/login/logout?post_logout_redirect=…&logout_hint=…&ui_locales=…&logout_token=<JWT>', async () => {
    const { client } = await signedIn();
    const url = await logoutPage(client, { logout_hint: alice, ui_locales: 'de' });
    expect(url.pathname).toBe('/ui/v2/login/logout');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      post_logout_redirect: `${home}?state=s`,
      logout_hint: alice,
      ui_locales: 'de',
      logout_token: expect.stringMatching(/^ey[^.]+\.[^.]+\.[^.]+$/),
    });
  });

  it('the session ends when the user chooses the account, not before', async () => {
    const { client } = await signedIn();
    const url = await logoutPage(client);
    const { status, text } = await client.browser.get(url.href);
    expect([status, text.includes(alice), await hasSession(client)]).toEqual([200, true, true]);
    const session = /name="session" value="(\d+)"/.exec(text)?.[1] ?? '';
    const picked = await client.browser.post(`${sandbox.issuer}/ui/v2/login/logout`, {
      session,
      logout_token: hiddenInput(text, 'logout_token'),
    });
    expect([picked.location, await hasSession(client)]).toEqual([`${home}?state=s`, false]);
  });

  it('a logout_hint with the login name skips the account picker', async () => {
    const { client } = await signedIn();
    await client.signIn(bob, { prompt: 'select_account' });
    const url = await logoutPage(client, { logout_hint: alice });
    expect((await client.browser.get(url.href)).location).toBe(`${home}?state=s`);
    const left = await client.browser.get((await logoutPage(client)).href);
    expect([left.text.includes(alice), left.text.includes(bob)]).toEqual([false, true]);
  });

  it('neither a session of another browser nor another target can be chosen', async () => {
    const { client } = await signedIn();
    const { client: victim, idToken } = await signedIn();
    const url = await logoutPage(client);
    await client.browser.post(`${sandbox.issuer}/ui/v2/login/logout`, {
      session: String(decodeJwt(idToken)['sid']),
      logout_token: url.searchParams.get('logout_token') ?? '',
    });
    expect(await hasSession(victim)).toBe(true);
    const forged = await client.browser.get(
      `${sandbox.issuer}/ui/v2/login/logout?post_logout_redirect=https://evil.example&logout_token=x&logout_hint=${alice}`,
    );
    expect([forged.status, forged.location]).toEqual([400, '']);
  });

  it('the page has no accounts and no links when there is no session', async () => {
    const client = new RelyingParty(sandbox);
    const { text } = await client.browser.get((await logoutPage(client)).href);
    expect(text).toContain('<p>No accounts found</p>');
    expect(text).not.toMatch(/<a |<form|<button/);
  });
});

describe('With Login V1, at the end_session endpoint,', () => {
  let one: Sandbox;
  beforeAll(async () => {
    one = await startSandbox({ web: { loginVersion: 1 } });
  });
  afterAll(() => one.close());

  async function twoSessions(): Promise<{ client: RelyingParty; ids: string[] }> {
    const client = new RelyingParty(one);
    const first = await client.signIn(alice);
    const second = await client.signIn(carol, { prompt: 'select_account' });
    return { client, ids: [first.id_token, second.id_token] };
  }

  async function isSignedOut(client: RelyingParty): Promise<boolean> {
    const { text } = await client.browser.get(
      (await client.authorize({ prompt: 'select_account' })).location,
    );
    return !text.includes('signed in');
  }

  it('a request without a hint ends all sessions of the browser and redirects', async () => {
    const { client } = await twoSessions();
    const parameters = { client_id: client.client.clientId, post_logout_redirect_uri: home, state: 's' };
    expect(await isSignedOut(client)).toBe(false);
    const { status, location } = await client.endSession(parameters);
    expect([status, location, await isSignedOut(client)]).toEqual([302, `${home}?state=s`, true]);
  });

  it('a hint ends all sessions of its browser', async () => {
    const { client, ids } = await twoSessions();
    const stranger = new RelyingParty(one);
    await stranger.endSession({ id_token_hint: ids[0], post_logout_redirect_uri: home });
    expect(await isSignedOut(client)).toBe(true);
  });

  it('a hint of a session that a second sign-in of the same user continued ends all sessions of its browser', async () => {
    const client = new RelyingParty(one);
    const first = await client.signIn(alice);
    await client.signIn(alice, { prompt: 'login' });
    await client.endSession({ id_token_hint: first.id_token, post_logout_redirect_uri: home });
    expect(await isSignedOut(client)).toBe(true);
  });

  it('a hint of an ended session ends the later sessions of its browser', async () => {
    const client = new RelyingParty(one);
    const first = await client.signIn(alice);
    await client.endSession({ id_token_hint: first.id_token });
    await client.signIn(carol);
    await client.endSession({ id_token_hint: first.id_token });
    expect(await isSignedOut(client)).toBe(true);
  });

  it('a URI without hint and client_id is ignored: the session ends and the target is /ui/login/logout/done', async () => {
    const client = new RelyingParty(one);
    await client.signIn(alice);
    const { status, location } = await client.endSession({ post_logout_redirect_uri: home, state: 's' });
    expect([status, location]).toEqual([302, `${one.issuer}/ui/login/logout/done?state=s`]);
    expect(await isSignedOut(client)).toBe(true);
  });

  it('a hint without a URI redirects to /ui/login/logout/done', async () => {
    const { client, ids } = await twoSessions();
    const { location } = await client.endSession({ id_token_hint: ids[0], state: 's' });
    expect(location).toBe(`${one.issuer}/ui/login/logout/done?state=s`);
    expect((await client.browser.get(location)).status).toBe(200);
  });
});

describe('After a logout,', () => {
  it('the access token is revoked and the refresh token is not', async () => {
    const client = new RelyingParty(sandbox);
    const { access_token, refresh_token, id_token } = await client.signIn();
    await client.endSession({ id_token_hint: id_token });
    expect((await introspect(sandbox, access_token)).json['active']).toBe(false);
    const fresh = tokensFrom(await client.refresh(refresh_token));
    expect((await introspect(sandbox, fresh.access_token)).json['active']).toBe(true);
  });

  it('the session of the same user in another browser goes on', async () => {
    const { client, idToken } = await signedIn();
    const { client: other } = await signedIn();
    await client.endSession({ id_token_hint: idToken });
    expect([await hasSession(client), await hasSession(other)]).toEqual([false, true]);
  });

  it('the session at a second client has ended, too', async () => {
    const { client, idToken } = await signedIn();
    const second = new RelyingParty(sandbox, sandbox.clients.second, 'http://localhost:3002/auth/callback');
    expect((await client.follow(second.authorizeUrl())).status).toBe(302);
    await client.endSession({ id_token_hint: idToken });
    expect((await client.follow(second.authorizeUrl())).status).toBe(200);
  });
});
