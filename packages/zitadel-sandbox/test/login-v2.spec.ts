import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import type { Answer } from './support/browser.js';
import { alice, bob, carol, RelyingParty } from './support/relying-party.js';

const password = 'Password1!';
const home = 'http://localhost:3000/auth/logout/callback';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

function pathOf({ url }: Answer): string {
  return new URL(url).pathname;
}

describe('On the pages of Login V2,', () => {
  it('a browser without JavaScript gets through login name and password to the application', async () => {
    const client = new RelyingParty(sandbox);
    const first = await client.browser.get((await client.authorize()).location);
    expect(first.status).toBe(307);
    expect(first.location).toMatch(/\/ui\/v2\/login\/loginname\?requestId=oidc_V2_\d{18}$/);
    const namePage = await client.browser.get(first.location);
    expect(namePage.text).toMatch(/<input [^>]*data-testid="username-text-input"/);
    expect(namePage.text).toMatch(/<button [^>]*data-testid="submit-button"/);
    const passwordPage = await client.submit(namePage, '/ui/v2/login/loginname', { loginName: alice });
    expect(pathOf(passwordPage)).toBe('/ui/v2/login/password');
    expect(passwordPage.text).toMatch(/<input [^>]*data-testid="password-text-input"/);
    expect(passwordPage.text).toMatch(/<button [^>]*data-testid="submit-button"/);
    const end = await client.submit(passwordPage, '/ui/v2/login/password', { password });
    const { claims } = await client.tokensOf(end);
    expect([claims.sub, claims['sid'], claims['amr']]).toEqual([
      '320000000000000011',
      expect.stringMatching(/^\d{18}$/),
      ['pwd'],
    ]);
  });

  it('a wrong password is reported, and the right one is accepted after it', async () => {
    const client = new RelyingParty(sandbox);
    const name = await client.login();
    const page = await client.submit(name, '/ui/v2/login/loginname', { loginName: alice });
    const wrong = await client.submit(page, '/ui/v2/login/password', { password: 'wrong' });
    expect([wrong.status, wrong.text.includes('role="alert"')]).toEqual([200, true]);
    const { location } = await client.submit(wrong, '/ui/v2/login/password', { password });
    expect(location).toContain('code=');
  });

  it('an e-mail address is accepted as a login name', async () => {
    const other = await startSandbox({ users: [{ loginName: 'ali', email: alice, emailVerified: true }] });
    const client = new RelyingParty(other);
    const page = await client.submit(await client.login(), '/ui/v2/login/loginname', { loginName: alice });
    const { location } = await client.submit(page, '/ui/v2/login/password', { password });
    await other.close();
    expect(location).toContain('code=');
  });

  it('the sign-in with one request is available and needs no cookie', async () => {
    const client = new RelyingParty(sandbox);
    await client.signIn(alice);
    const pages = [
      await new RelyingParty(sandbox).login(),
      await new RelyingParty(sandbox).login({ login_hint: alice }),
      await client.login({ prompt: 'select_account' }),
      await new RelyingParty(sandbox).login({ prompt: 'create' }),
    ];
    expect(pages.map(pathOf)).toEqual([
      '/ui/v2/login/loginname',
      '/ui/v2/login/password',
      '/ui/v2/login/accounts',
      '/ui/v2/login/register',
    ]);
    for (const page of pages) {
      const stranger = new RelyingParty(sandbox);
      const { location } = await stranger.submit(page, '/ui/v2/login/login', { loginName: bob });
      expect(location).toContain('code=');
    }
  });

  it('a used and an unknown login link get JSON with status 500', async () => {
    const client = new RelyingParty(sandbox);
    const { location } = await client.authorize();
    const page = await client.follow(location);
    await client.submit(page, '/ui/v2/login/login', { loginName: alice });
    for (const url of [location, page.url, `${sandbox.issuer}/ui/v2/login/login?authRequest=V2_1`]) {
      const answer = await client.browser.get(url);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([
        500,
        expect.stringContaining('application/json'),
      ]);
      expect(answer.json['error']).toEqual(expect.any(String));
    }
  });
});

describe('In Login V2,', () => {
  it('an old session completes a login with max_age', async () => {
    const client = new RelyingParty(sandbox);
    const first = await client.signIn(alice);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000);
    const answers = [await client.login({ max_age: '0' }), await client.login({ max_age: '60' })];
    clock.mockRestore();
    for (const answer of answers) {
      const { claims } = await client.tokensOf(answer);
      expect(claims['auth_time']).toBe(first.claims['auth_time']);
    }
  });

  it('prompt=login starts a new session and does not end the old one', async () => {
    const client = new RelyingParty(sandbox);
    const first = await client.signIn(alice);
    const page = await client.login({ prompt: 'login' });
    expect(pathOf(page)).toBe('/ui/v2/login/loginname');
    const second = await client.tokensOf(
      await client.submit(page, '/ui/v2/login/login', { loginName: alice }),
    );
    expect(second.claims['sid']).not.toBe(first.claims['sid']);
    expect((await client.userinfo(first.access_token)).status).toBe(200);
    // The browser no longer lists the older session, but its ID token still ends it.
    await client.endSession({ id_token_hint: first.id_token });
    expect((await client.userinfo(first.access_token)).status).toBe(401);
    expect((await client.userinfo(second.access_token)).status).toBe(200);
    expect((await client.login()).location).toContain('code=');
  });

  it('prompt=select_account leads to the account picker with a session and to the login name page without one', async () => {
    const client = new RelyingParty(sandbox);
    expect(pathOf(await client.login({ prompt: 'select_account' }))).toBe('/ui/v2/login/loginname');
    const { claims } = await client.signIn(alice);
    const picker = await client.login({ prompt: 'select_account' });
    expect(pathOf(picker)).toBe('/ui/v2/login/accounts');
    const answer = await client.submit(picker, '/ui/v2/login/accounts', {
      session: String(claims['sid']),
    });
    expect((await client.tokensOf(answer)).claims['auth_time']).toBe(claims['auth_time']);
  });

  it('the account picker lists all users of the browser, each once', async () => {
    const client = new RelyingParty(sandbox);
    await client.signIn(alice);
    await client.signIn(bob, { prompt: 'select_account' });
    await client.signIn(alice, { prompt: 'login' });
    const { text } = await client.login({ prompt: 'select_account' });
    const picker = text.slice(0, text.indexOf('Add another account'));
    expect([...picker.matchAll(/<span>([^<]+@[^<]+)<\/span>/g)].map(([, name]) => name)).toEqual([
      alice,
      bob,
    ]);
  });

  it('the account picker has a link to add another account', async () => {
    const client = new RelyingParty(sandbox);
    await client.signIn(alice);
    const picker = await client.login({ prompt: 'select_account' });
    const [, link = ''] = /<a href="([^"]+)">Add another account/.exec(picker.text) ?? [];
    expect(pathOf(await client.follow(`${sandbox.issuer}${link}`))).toBe('/ui/v2/login/loginname');
  });

  it('a login_hint of another user leads to the account picker, and without sessions to the password page', async () => {
    const client = new RelyingParty(sandbox);
    expect(pathOf(await client.login({ login_hint: alice }))).toBe('/ui/v2/login/password');
    await client.signIn(alice);
    expect(pathOf(await client.login({ login_hint: bob }))).toBe('/ui/v2/login/accounts');
    expect((await client.login({ login_hint: alice })).location).toContain('code=');
  });

  it('the latest of two sessions completes a login without a prompt', async () => {
    const client = new RelyingParty(sandbox);
    await client.signIn(alice);
    const { claims } = await client.signIn(carol, { prompt: 'select_account' });
    expect((await client.tokensOf(await client.login())).claims.sub).toBe(claims.sub);
  });

  it('the session of a user of another organization does not complete the login and cannot be chosen', async () => {
    const client = new RelyingParty(sandbox);
    const { claims } = await client.signIn(alice);
    const picker = await client.login({ scope: 'openid urn:zitadel:iam:org:domain:primary:globex.example' });
    expect(pathOf(picker)).toBe('/ui/v2/login/accounts');
    const answer = await client.submit(picker, '/ui/v2/login/accounts', { session: String(claims['sid']) });
    expect(answer.text).toContain('User is no member of the required organization');
  });

  it('a session of another browser cannot be chosen', async () => {
    const { claims } = await new RelyingParty(sandbox).signIn(alice);
    const client = new RelyingParty(sandbox);
    await client.signIn(bob);
    const picker = await client.login({ prompt: 'select_account' });
    const answer = await client.submit(picker, '/ui/v2/login/accounts', { session: String(claims['sid']) });
    expect(pathOf(answer)).toBe('/ui/v2/login/loginname');
  });
});

describe('The logout page of Login V2', () => {
  const parameters = { client_id: '320000000000000101', post_logout_redirect_uri: home, state: 's' };

  it('has no link without accounts', async () => {
    const client = new RelyingParty(sandbox);
    const { text } = await client.follow(client.url('/oidc/v1/end_session', parameters));
    expect(text).toContain('No accounts found');
    expect(text).not.toMatch(/<a |<form|<button/);
  });

  it('ends the session of the chosen account', async () => {
    const client = new RelyingParty(sandbox);
    const first = await client.signIn(alice);
    const second = await client.signIn(bob, { prompt: 'select_account' });
    const page = await client.follow(client.url('/oidc/v1/end_session', parameters));
    expect(pathOf(page)).toBe('/ui/v2/login/logout');
    const answer = await client.submit(page, '/ui/v2/login/logout', {
      session: String(second.claims['sid']),
    });
    expect(answer.location).toBe(`${home}?state=s`);
    expect((await client.userinfo(second.access_token)).status).toBe(401);
    expect((await client.userinfo(first.access_token)).status).toBe(200);
  });
});
