import { afterEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { Browser } from './support/browser.js';
import { RelyingParty, tokensFrom } from './support/relying-party.js';

const alice = 'alice@acme.example';
const password = 'Password1!';
const home = 'http://localhost:3000/auth/logout/callback';

let sandbox: Sandbox | undefined;
afterEach(() => sandbox?.close());

describe.each(['http://localhost:0', 'http://127.0.0.1:0'])(
  'Login V2 on an origin of its own, %s',
  (loginOrigin) => {
    it('has the pages, and the protocol stays at the issuer', async () => {
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

    it('signs people in, keeps their session there, and signs them out', async () => {
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

it('another name for the port of the issuer is an origin, too', async () => {
  const issuerFirst = await startSandbox();
  const port = new URL(issuerFirst.issuer).port;
  await issuerFirst.close();
  sandbox = await startSandbox({ port: Number(port), loginOrigin: `http://127.0.0.1:${port}` });
  const client = new RelyingParty(sandbox);
  const page = await client.login();
  expect([new URL(page.url).origin, page.status]).toEqual([`http://127.0.0.1:${port}`, 200]);
});

it('the short sign-in works there without a cookie', async () => {
  sandbox = await startSandbox({ loginOrigin: 'http://localhost:0' });
  expect((await new RelyingParty(sandbox).choose(alice)).location).toContain('code=');
});

it('without one, Login V2 is at the issuer', async () => {
  sandbox = await startSandbox();
  expect(sandbox.loginOrigin).toBe(sandbox.issuer);
});

it.each(['https://localhost:8081', 'http://login.example', 'http://localhost:8081/path', 'nonsense'])(
  'an origin that is not one of this machine is refused: %s',
  async (loginOrigin) => {
    await expect(startSandbox({ loginOrigin })).rejects.toThrow('loginOrigin: expected an http origin');
  },
);

it('a port that is taken is said', async () => {
  sandbox = await startSandbox();
  const { port } = new URL(sandbox.issuer);
  await expect(startSandbox({ loginOrigin: sandbox.issuer })).rejects.toThrow(
    `loginOrigin: port ${port} is in use`,
  );
});

it('both ports are free after a close', async () => {
  const first = await startSandbox({ loginOrigin: 'http://localhost:0' });
  const ports = [first.issuer, first.loginOrigin].map((origin) => Number(new URL(origin).port));
  await first.close();
  sandbox = await startSandbox({ port: ports[0] ?? 0, loginOrigin: `http://localhost:${ports[1]}` });
  expect(sandbox.loginOrigin).toBe(first.loginOrigin);
});
