import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { startSandbox, type Sandbox } from '../src/index.js';
import { Browser } from './support/browser.js';
import { alice, introspect, isActive, RelyingParty, type Tokens } from './support/relying-party.js';

const home = 'http://localhost:3000/auth/logout/callback';

let receiver: Server;
let calls: string[];
beforeAll(async () => {
  calls = [];
  receiver = createServer((request, response) => {
    calls.push(request.url ?? '');
    response.end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
});
afterAll(() => {
  receiver.closeAllConnections();
  receiver.close();
});

/** Each row needs a separate sandbox, because removed users cannot be restored. */
async function withSignedIn(
  loginVersion: 1 | 2,
  run: (sandbox: Sandbox, client: RelyingParty, tokens: Tokens) => Promise<void>,
): Promise<void> {
  const { port } = receiver.address() as AddressInfo;
  const sandbox = await startSandbox({
    web: { loginVersion, backChannelLogoutUri: `http://127.0.0.1:${port}/v${loginVersion}` },
  });
  try {
    const client = new RelyingParty(sandbox);
    await run(sandbox, client, await client.signIn(alice));
  } finally {
    await sandbox.close();
  }
}

type Change = (sandbox: Sandbox) => void;

const changes: [string, Change][] = [
  ['deactivated', (sandbox) => sandbox.setUserActive(alice, false)],
  ['locked', (sandbox) => sandbox.lockUser(alice)],
  ['removed', (sandbox) => sandbox.removeUser(alice)],
];

const reversals: [string, Change, Change][] = [
  [
    'deactivated and reactivated',
    (sandbox) => sandbox.setUserActive(alice, false),
    (sandbox) => sandbox.setUserActive(alice, true),
  ],
  ['locked and unlocked', (sandbox) => sandbox.lockUser(alice), (sandbox) => sandbox.unlockUser(alice)],
];

const versions = [1, 2] as const;

describe.each(versions)('With Login V%i,', (loginVersion) => {
  it.each(changes)(
    'the tokens of a user who is %s get inactive at introspection, 401 at userinfo, 400 at refresh and 302 at end_session',
    async (_name, change) => {
      await withSignedIn(loginVersion, async (sandbox, client, { access_token, refresh_token, id_token }) => {
        change(sandbox);
        expect((await introspect(sandbox, access_token)).json).toEqual({ active: false });
        const userinfo = await client.userinfo(access_token);
        expect([userinfo.status, userinfo.json]).toEqual([
          401,
          { error: 'access_denied', error_description: 'access token invalid' },
        ]);
        const refreshed = await client.refresh(refresh_token);
        expect([refreshed.status, refreshed.json]).toEqual([
          400,
          { error: 'invalid_request', error_description: 'Errors.User.NotActive' },
        ]);
        const ended = await client.endSession({ id_token_hint: id_token, post_logout_redirect_uri: home });
        expect([ended.status, ended.location]).toEqual([302, home]);
      });
    },
  );

  it.each(reversals)(
    'the access tokens of a user who was %s stay revoked, and the refresh token works',
    async (_name, change, reverse) => {
      await withSignedIn(loginVersion, async (sandbox, client, { access_token, refresh_token }) => {
        change(sandbox);
        reverse(sandbox);
        expect((await introspect(sandbox, access_token)).json).toEqual({ active: false });
        const { status, json } = await client.refresh(refresh_token);
        expect(status).toBe(200);
        expect((await introspect(sandbox, String(json['access_token']))).json['active']).toBe(true);
      });
    },
  );
});

describe('With Login V1,', () => {
  it.each(reversals)('the browser has no session after its user was %s', async (_name, change, reverse) => {
    await withSignedIn(1, async (sandbox, client, { id_token }) => {
      change(sandbox);
      reverse(sandbox);
      const { location } = await client.login({ prompt: 'none' });
      expect(new URL(location).searchParams.get('error')).toBe('interaction_required');
      calls.length = 0;
      await client.endSession({ id_token_hint: id_token });
      await pause(50);
      expect(calls).toEqual([]);
    });
  });

  it('prompt=none of a deactivated user gets plain text at the callback', async () => {
    await withSignedIn(1, async (sandbox, client) => {
      sandbox.setUserActive(alice, false);
      const { status, text, headers, url } = await client.login({ prompt: 'none' });
      expect([status, text]).toEqual([400, 'ID=EVENT-FJ262 Message=Errors.User.NotActive\n']);
      expect(headers.get('content-type')).toContain('text/plain');
      expect(new URL(url).pathname).toBe('/oauth/v2/authorize/callback');
    });
  });

  it('prompt=none of a removed user gets interaction_required', async () => {
    await withSignedIn(1, async (sandbox, client) => {
      sandbox.removeUser(alice);
      const { location } = await client.login({ prompt: 'none' });
      expect(new URL(location).searchParams.get('error')).toBe('interaction_required');
    });
  });

  it.each([
    ['deactivated', changes[0]?.[1], 'User is not active', 'User is inactive'],
    ['locked', changes[1]?.[1], 'User is locked', 'User is locked'],
    ['removed', changes[2]?.[1], undefined, 'User could not be found'],
  ])('the pages report a user who is %s', async (_name, change, sameBrowser, freshBrowser) => {
    await withSignedIn(1, async (sandbox, client) => {
      change?.(sandbox);
      const same = await client.login();
      expect(same.status).toBe(200);
      expect(/role="alert">([^<]*)</.exec(same.text)?.[1]).toBe(sameBrowser);
      const fresh = new RelyingParty(sandbox);
      const answer = await fresh.submit(await fresh.login(), '/ui/login/loginname', { loginName: alice });
      expect(answer.status).toBe(200);
      expect(/role="alert">([^<]*)</.exec(answer.text)?.[1]).toBe(freshBrowser);
    });
  });

  it('a session that ends because its user was deactivated notifies no application', async () => {
    await withSignedIn(1, async (sandbox, client, { id_token }) => {
      calls.length = 0;
      sandbox.setUserActive(alice, false);
      await client.endSession({ id_token_hint: id_token });
      await pause(50);
      expect(calls).toEqual([]);
    });
  });
});

describe('With Login V2,', () => {
  it.each(changes)(
    'the session of a user who is %s still gets a code, which the token endpoint refuses',
    async (_name, change) => {
      await withSignedIn(2, async (sandbox, client) => {
        change(sandbox);
        const { location } = await client.login();
        const { status, json } = await client.redeem(new URL(location).searchParams.get('code') ?? '');
        expect([status, json['error_description']]).toEqual([400, 'Errors.User.NotActive']);
      });
    },
  );

  it('the browser still has its session after a reactivation, and its end notifies the application', async () => {
    await withSignedIn(2, async (sandbox, client, { id_token }) => {
      sandbox.setUserActive(alice, false);
      sandbox.setUserActive(alice, true);
      expect(new URL((await client.login()).location).searchParams.has('code')).toBe(true);
      calls.length = 0;
      await client.endSession({ id_token_hint: id_token });
      for (let tries = 0; calls.length === 0 && tries < 200; tries++) await pause(10);
      expect(calls).toEqual(['/v2']);
    });
  });

  it.each([
    ['deactivated', changes[0]?.[1], 'User is not active'],
    ['removed', changes[2]?.[1], 'User not found in the system'],
  ])('the login name page reports a user who is %s', async (_name, change, text) => {
    await withSignedIn(2, async (sandbox) => {
      change?.(sandbox);
      const fresh = new RelyingParty(sandbox);
      const page = await fresh.submit(await fresh.login(), '/ui/v2/login/loginname', { loginName: alice });
      expect([page.status, /role="alert">([^<]*)</.exec(page.text)?.[1]]).toEqual([200, text]);
    });
  });
});

describe('A code that was issued before the user changed', () => {
  it.each([
    [1, 'deactivated', 400, 'Errors.User.NotActive'],
    [1, 'locked', 400, 'Errors.User.Locked'],
    [1, 'removed', 404, 'Errors.User.NotFound'],
    [2, 'deactivated', 400, 'Errors.User.NotActive'],
    [2, 'locked', 400, 'Errors.User.NotActive'],
    [2, 'removed', 400, 'Errors.User.NotActive'],
  ] as const)('is refused (Login V%i, %s) with %i %s', async (loginVersion, name, status, description) => {
    await withSignedIn(loginVersion, async (sandbox, client) => {
      const code = await client.code();
      changes.find(([known]) => known === name)?.[1](sandbox);
      const answer = await client.redeem(code);
      expect([answer.status, answer.json]).toEqual([
        status,
        { error: 'invalid_request', error_description: description },
      ]);
    });
  });
});

describe('For service users,', () => {
  it('a personal access token is inactive while its user is deactivated', async () => {
    const sandbox = await startSandbox();
    const pat = sandbox.users.find(({ kind }) => kind === 'machine')?.pat;
    expect(await isActive(sandbox, pat ?? '')).toBe(true);
    sandbox.setUserActive('robot@acme.example', false);
    expect(await isActive(sandbox, pat ?? '')).toBe(false);
    sandbox.setUserActive('robot@acme.example', true);
    expect(await isActive(sandbox, pat ?? '')).toBe(true);
    await sandbox.close();
  });

  it('a removed service user gets no tokens', async () => {
    const sandbox = await startSandbox();
    const robot = sandbox.users.find(({ kind }) => kind === 'machine');
    sandbox.removeUser('robot@acme.example');
    const { status, json } = await new Browser().post(`${sandbox.issuer}/oauth/v2/token`, {
      grant_type: 'client_credentials',
      client_id: 'robot@acme.example',
      client_secret: robot?.clientSecret ?? '',
      scope: 'openid',
    });
    await sandbox.close();
    expect([status, json['error'], json['error_description']]).toEqual([
      400,
      'invalid_client',
      'client not found',
    ]);
  });
});
