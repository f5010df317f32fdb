import { afterEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { Browser } from './support/browser.js';
import { alice, RelyingParty, tokensFrom } from './support/relying-party.js';

const password = 'Password1!';
const home = 'http://localhost:3000/auth/logout/callback';

let sandbox: Sandbox | undefined;
afterEach(() => sandbox?.close());

describe.each(['http://localhost:0', 'http://127.0.0.1:0'])(
  'Login V2 on a separate origin, %s,',
  (loginOrigin) => {
    it('serves the pages, and the issuer serves the protocol', async () => {
      sandbox = await startSandbox({ loginOrigin });
      const { issuer } = sandbox;
      expect(sandbox.loginOrigin).toMatch(/^http:\/\/(localhost|127\.0\.0\.1):[1-9]\d+$/);
      expect(sandbox.loginOrigin).not.toBe(issuer);
      const client = new RelyingParty(sandbox);
      const { location } = await client.authorize();
      expect(location.startsWith(`${sandbox.loginOrigin}/ui/v2/login/login?authRequest=V2_`)).toBe(true);
      const browser = new Browser();
      expect((await browser.get(location.replace(sandbox.loginOrigin, issuer))).status).toBe(404);
      for (const path of ['/.well-known/openid-configuration', '/oauth/v2/keys', '/ui/login/login', '/']) {
        expect((await browser.get(`${sandbox.loginOrigin}${path}`)).status).toBe(404);
      }
    });

    it('signs a user in, keeps the session and signs the user out', async () => {
      sandbox = await startSandbox({ loginOrigin });
      const client = new RelyingParty(sandbox);
      const page = await client.submit(await client.login(), '/ui/v2/login/loginname', { loginName: alice });
      const end = await client.submit(page, '/ui/v2/login/password', { password });
      const first = tokensFrom(await client.redeem(new URL(end.location).searchParams.get('code') ?? ''));
      const again = await client.login();
      expect(again.status).toBe(302);
      const second = tokensFrom(await client.redeem(new URL(again.location).searchParams.get('code') ?? ''));
      expect(second.claims['sid']).toBe(first.claims['sid']);
      const parameters = { client_id: client.client.clientId, post_logout_redirect_uri: home, state: 's' };
      const logout = await client.follow(client.url('/oidc/v1/end_session', parameters));
      expect(logout.url.startsWith(`${sandbox.loginOrigin}/ui/v2/login/logout?`)).toBe(true);
      const done = await client.submit(logout, '/ui/v2/login/logout', {
        session: String(first.claims['sid']),
      });
      expect(done.location).toBe(`${home}?state=s`);
      expect((await client.userinfo(first.access_token)).status).toBe(401);
    });
  },
);

it('Login V2 can have another host name on the port of the issuer', async () => {
  const issuerFirst = await startSandbox();
  const port = new URL(issuerFirst.issuer).port;
  await issuerFirst.close();
  sandbox = await startSandbox({ port: Number(port), loginOrigin: `http://127.0.0.1:${port}` });
  const client = new RelyingParty(sandbox);
  const page = await client.login();
  expect([new URL(page.url).origin, page.status]).toEqual([`http://127.0.0.1:${port}`, 200]);
});

it('The sign-in with one request works on the login origin without a cookie', async () => {
  sandbox = await startSandbox({ loginOrigin: 'http://localhost:0' });
  expect((await new RelyingParty(sandbox).choose(alice)).location).toContain('code=');
});

it('Without a login origin the issuer serves Login V2', async () => {
  sandbox = await startSandbox();
  expect(sandbox.loginOrigin).toBe(sandbox.issuer);
});

it.each(['https://localhost:8081', 'http://login.example', 'http://localhost:8081/path', 'nonsense'])(
  'startSandbox() refuses a login origin that is not on a loopback address: %s',
  async (loginOrigin) => {
    await expect(startSandbox({ loginOrigin })).rejects.toThrow('loginOrigin: expected an http origin');
  },
);

it('startSandbox() reports that the port of the login origin is in use', async () => {
  sandbox = await startSandbox();
  const { port } = new URL(sandbox.issuer);
  await expect(startSandbox({ loginOrigin: sandbox.issuer })).rejects.toThrow(
    `loginOrigin: port ${port} is in use`,
  );
});

it('close() frees both ports', async () => {
  const first = await startSandbox({ loginOrigin: 'http://localhost:0' });
  const ports = [first.issuer, first.loginOrigin].map((origin) => Number(new URL(origin).port));
  await first.close();
  sandbox = await startSandbox({ port: ports[0] ?? 0, loginOrigin: `http://localhost:${ports[1]}` });
  expect(sandbox.loginOrigin).toBe(first.loginOrigin);
});
