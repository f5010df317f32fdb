import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHash } from 'node:crypto';
import { startSandbox, type Sandbox } from '../src/index.js';
import { hiddenInput, type Answer } from './support/browser.js';
import { alice, RelyingParty } from './support/relying-party.js';

const password = 'Password1!';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

async function opened(
  parameters: Record<string, string> = {},
  party = new RelyingParty(sandbox),
): Promise<{ page: Answer; post: (form: Record<string, string>) => Promise<Answer> }> {
  const page = await party.login(parameters);
  const authRequest = hiddenInput(page.text, 'authRequest');
  return {
    page,
    post: (form) => party.browser.post(`${party.sandbox.issuer}/ui/v2/login/login`, { authRequest, ...form }),
  };
}

describe('The list of users', () => {
  it('says that this is a sandbox, and describes each user', async () => {
    const { page } = await opened();
    expect(page.status).toBe(200);
    expect(page.text).toContain('Sandbox – not Zitadel.');
    for (const { kind, loginName, goodFor } of sandbox.users) {
      const button = `<button type="submit" class="person" name="loginName" value="${loginName}">`;
      expect(page.text.includes(button)).toBe(kind === 'human');
      expect(page.text.includes(goodFor)).toBe(kind === 'human');
    }
    expect(sandbox.users.filter(({ kind }) => kind === 'human')).toHaveLength(4);
  });

  it('needs no script and requests no other address', async () => {
    const { page } = await opened();
    expect(page.text).not.toMatch(/<script|https?:|\ssrc=|\son[a-z]+=/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it.each(['alice@acme.example', 'bob@acme.example', 'carol@globex.example', 'erin@acme.example'])(
    'signs in %s with one click',
    async (loginName) => {
      const { post } = await opened();
      const { status, location } = await post({ loginName });
      expect(status).toBe(302);
      expect(location).toMatch(/^http:\/\/localhost:3000\/auth\/callback\?code=ey.+&state=the-state$/);
    },
  );

  it('shows which users have a session in this browser', async () => {
    const party = new RelyingParty(sandbox);
    await party.signIn(alice);
    const { page } = await opened({ prompt: 'login' }, party);
    expect(page.text.match(/· signed in/g)).toHaveLength(1);
  });
});

describe('The sign-in with one request', () => {
  it('accepts the right password', async () => {
    const { post } = await opened();
    expect((await post({ loginName: alice, password })).location).toContain('code=');
  });

  it('returns 400 with an error and the login name after a wrong password', async () => {
    const { post } = await opened();
    const { status, text } = await post({ loginName: alice, password: 'wrong' });
    expect(status).toBe(400);
    expect(text).toContain('<p class="error" role="alert">Username or password is wrong.</p>');
    expect(text).toContain(`data-testid="username-text-input" value="${alice}"`);
    expect((await post({ loginName: alice, password })).status).toBe(302);
  });

  it('treats an empty password as wrong', async () => {
    const { post } = await opened();
    expect((await post({ loginName: alice, password: '' })).status).toBe(400);
  });

  it.each(['nobody@acme.example', 'robot@acme.example', '"><script>alert(1)</script>'])(
    'returns 400 for an unknown user: %s',
    async (loginName) => {
      const { post } = await opened();
      const { status, text } = await post({ loginName, password });
      expect([status, text.includes('User could not be found.')]).toEqual([400, true]);
      expect(text).not.toContain('<script>');
    },
  );

  it('refuses a deactivated user, who is not listed either', async () => {
    sandbox.setUserActive('bob@acme.example', false);
    const { page, post } = await opened();
    const { status } = await post({ loginName: 'bob@acme.example' });
    sandbox.setUserActive('bob@acme.example', true);
    expect([page.text.includes('bob@acme.example'), status]).toEqual([false, 400]);
  });

  it('redirects with error=access_denied after Cancel', async () => {
    const { post } = await opened();
    const { status, location } = await post({ loginName: '', password: '', cancel: 'true' });
    expect(status).toBe(302);
    expect(new URL(location).searchParams.get('error')).toBe('access_denied');
  });
});

describe('On all pages,', () => {
  it.each([
    '/ui/login',
    '/ui/login/login?authRequestID=1',
    '/ui/v2/login/logout',
    '/ui/login/logout/done',
    '/ui/console/',
    '/ui/console/users/me',
  ])('a Content-Security-Policy is sent with HTML: %s', async (path) => {
    const { headers } = await new RelyingParty(sandbox).browser.get(`${sandbox.issuer}${path}`);
    expect(headers.get('content-type')).toContain('text/html');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    );
  });

  it('the Content-Security-Policy of the form_post page allows only its own script', async () => {
    const one = await startSandbox({ web: { loginVersion: 1 } });
    const { text, headers } = await new RelyingParty(one).choose(alice, { response_mode: 'form_post' });
    await one.close();
    const script = /onload="([^"]+)"/.exec(text)?.[1] ?? '';
    const hash = createHash('sha256').update(script).digest('base64');
    expect(headers.get('content-security-policy')).toContain(
      `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; script-src 'unsafe-hashes' 'sha256-${hash}'`,
    );
  });

  it('Login V2 responds to an unknown authorization request with JSON and status 500', async () => {
    const { status, json } = await new RelyingParty(sandbox).browser.get(
      `${sandbox.issuer}/ui/v2/login/login?authRequest=V2_1`,
    );
    expect([status, json]).toEqual([500, { error: 'Internal Server Error' }]);
  });

  it('the start page lists the users, each of them with a link that starts a login if initiateLoginUri is set', async () => {
    const plain = await new RelyingParty(sandbox).browser.get(`${sandbox.issuer}/ui/login`);
    expect(plain.text).toContain(`ZITADEL_DOMAIN=${sandbox.issuer}`);
    expect(plain.text).not.toContain('<a ');
    const other = await startSandbox({ web: { initiateLoginUri: 'http://localhost:3000/auth/initiate' } });
    const { text } = await new RelyingParty(other).browser.get(`${other.issuer}/ui/login`);
    await other.close();
    const iss = encodeURIComponent(other.issuer);
    expect(text).toContain(
      `href="http://localhost:3000/auth/initiate?iss=${iss}&amp;login_hint=alice%40acme.example"`,
    );
  });
});
