import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import type { Answer } from './support/browser.js';
import { RelyingParty, tokensFrom, type Tokens } from './support/relying-party.js';

const alice = 'alice@acme.example';
const bob = 'bob@acme.example';
const carol = 'carol@globex.example';
const password = 'Password1!';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ web: { loginVersion: 1 } });
});
afterAll(() => sandbox.close());

function newClient(): RelyingParty {
  return new RelyingParty(sandbox);
}

function titleOf({ text }: Answer): string | undefined {
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1];
}

function alertOf({ text }: Answer): string | undefined {
  return /role="alert">([^<]*)</.exec(text)?.[1];
}

function errorOf({ location }: Answer): string | null {
  return new URL(location).searchParams.get('error');
}

async function tokensOf(client: RelyingParty, { location }: Answer): Promise<Tokens> {
  return tokensFrom(await client.redeem(new URL(location).searchParams.get('code') ?? ''));
}

async function signedIn(...people: string[]): Promise<{ client: RelyingParty; tokens: Tokens[] }> {
  const client = newClient();
  const tokens: Tokens[] = [];
  for (const one of people) tokens.push(await client.signIn(one, { prompt: 'login' }));
  return { client, tokens };
}

/** As if the sign-ins had been two hours ago. */
async function later<Result>(run: () => Promise<Result>): Promise<Result> {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000);
  try {
    return await run();
  } finally {
    clock.mockRestore();
  }
}

describe('the pages of Login V1', () => {
  it('a person without script gets from the login name over the password and the callback to the application', async () => {
    const client = newClient();
    const { location } = await client.authorize();
    expect(location).toMatch(/\/ui\/login\/login\?authRequestID=\d{18}$/);
    const id = new URL(location).searchParams.get('authRequestID') ?? '';
    const namePage = await client.browser.get(location);
    expect(titleOf(namePage)).toBe('Welcome Back!');
    for (const field of [
      `name="authRequestID" value="${id}"`,
      'name="gorilla.csrf.Token"',
      'id="submit-button"',
    ]) {
      expect(namePage.text).toContain(field);
    }
    const passwordPage = await client.submit(namePage, '/ui/login/loginname', { loginName: alice });
    expect([passwordPage.status, titleOf(passwordPage)]).toEqual([200, 'Password']);
    expect(passwordPage.text).toContain(`name="loginName" value="${alice}"`);
    expect(passwordPage.text).toContain('id="submit-button"');
    const token = /name="gorilla.csrf.Token" value="([^"]+)"/.exec(passwordPage.text)?.[1] ?? '';
    const end = await client.browser.post(`${sandbox.issuer}/ui/login/password`, {
      authRequestID: id,
      'gorilla.csrf.Token': token,
      loginName: alice,
      password,
    });
    expect([end.status, end.location]).toEqual([
      302,
      `${sandbox.issuer}/oauth/v2/authorize/callback?id=${id}`,
    ]);
    const { claims } = await tokensOf(client, await client.browser.get(end.location));
    expect([claims.sub, claims['sid']]).toEqual(['320000000000000011', expect.stringMatching(/^V1_\d{18}$/)]);
  });

  it('what is wrong is told on a page with the status 200', async () => {
    const client = newClient();
    const unknown = await client.submit(await client.login(), '/ui/login/loginname', { loginName: 'nobody' });
    expect([unknown.status, alertOf(unknown)]).toEqual([200, 'User could not be found']);
    const page = await client.submit(unknown, '/ui/login/loginname', { loginName: alice });
    const wrong = await client.submit(page, '/ui/login/password', { password: 'wrong' });
    expect([wrong.status, titleOf(wrong), alertOf(wrong)]).toEqual([200, 'Password', 'Password is invalid']);
  });

  it('a form without its CSRF token is not taken', async () => {
    const client = newClient();
    const { location } = await client.authorize();
    const authRequestID = new URL(location).searchParams.get('authRequestID') ?? '';
    const answer = await client.browser.post(`${sandbox.issuer}/ui/login/loginname`, {
      authRequestID,
      loginName: alice,
    });
    expect(answer.status).toBe(403);
  });

  it('the short sign-in stands beside the pages, and needs no cookie', async () => {
    const { client } = await signedIn(alice);
    const pages = [
      await newClient().login(),
      await newClient().login({ login_hint: alice }),
      await client.login({ prompt: 'select_account' }),
      await newClient().login({ prompt: 'create' }),
    ];
    expect(pages.map(titleOf)).toEqual(['Welcome Back!', 'Password', 'Select Account', 'Registration']);
    for (const page of pages) {
      const { location } = await newClient().submit(page, '/ui/login/login', { loginName: carol });
      expect(location).toContain('code=');
    }
  });

  it('an e-mail that is not verified stops at a page until the code is typed', async () => {
    const other = await startSandbox({ web: { loginVersion: 1 } });
    const client = new RelyingParty(other);
    const page = await client.submit(await client.login(), '/ui/login/loginname', { loginName: bob });
    const stopped = await client.submit(page, '/ui/login/password', { password });
    expect([stopped.status, titleOf(stopped)]).toEqual([200, 'E-Mail Verification']);
    expect(errorOf(await client.login({ prompt: 'none' }))).toBe('interaction_required');
    expect(titleOf(await new RelyingParty(other).choose(bob))).toBe('E-Mail Verification');
    const wrong = await client.submit(stopped, '/ui/login/mail/verification', { code: 'wrong' });
    expect(alertOf(wrong)).toBe('Code is invalid');
    const code = /the code is <code>(\d+)</.exec(stopped.text)?.[1] ?? '';
    const end = await client.submit(wrong, '/ui/login/mail/verification', { code });
    const { access_token } = await tokensOf(client, end);
    expect((await client.userinfo(access_token)).json['email_verified']).toBe(true);
    await other.close();
  });

  it.each([
    [
      '?id=garbage',
      'ID=CACHE-d24aD Message=Errors.AuthRequest.NotFound Parent=(sql: no rows in result set)\n',
    ],
    ['', 'auth request callback is missing id\n'],
  ])('the callback of no request is plain text: %s', async (query, text) => {
    const answer = await newClient().browser.get(`${sandbox.issuer}/oauth/v2/authorize/callback${query}`);
    expect([answer.status, answer.text]).toEqual([400, text]);
  });

  it('only the browser that signed in gets the code at the callback', async () => {
    const { client } = await signedIn(alice);
    const handedOver = await client.browser.get((await client.authorize()).location);
    const stranger = await newClient().browser.get(handedOver.location);
    expect(errorOf(stranger)).toBe('interaction_required');
  });
});

/** The table in zitadel-features.md, 1. */
describe('which page Login V1 shows first', () => {
  it('nothing asked, one person in the browser: none, and the old auth_time', async () => {
    const { client, tokens } = await signedIn(alice);
    const answer = await later(() => client.login({}));
    expect((await tokensOf(client, answer)).claims['auth_time']).toBe(tokens[0]?.claims['auth_time']);
  });

  it('nothing asked, two people in the browser: the account picker, and no password', async () => {
    const { client } = await signedIn(alice, carol);
    const picker = await client.login();
    expect(titleOf(picker)).toBe('Select Account');
    const buttons = [...picker.text.matchAll(/<button [^>]*name="userselection" value="(\d+)"/g)];
    expect(buttons.map(([, value]) => value)).toEqual(['320000000000000013', '320000000000000011', '0']);
    const answer = await client.submit(picker, '/ui/login/userselection', {
      userselection: '320000000000000011',
    });
    expect((await tokensOf(client, answer)).claims.sub).toBe('320000000000000011');
  });

  it('"Other User" of the picker is an empty page for the login name', async () => {
    const { client } = await signedIn(alice, carol);
    const page = await client.submit(await client.login(), '/ui/login/userselection', { userselection: '0' });
    expect(titleOf(page)).toBe('Welcome Back!');
  });

  it.each(['0', '60'])(
    'max_age=%s with an older session: the password page, then a new auth_time',
    async (max_age) => {
      const { client, tokens } = await signedIn(alice);
      const page = await later(() => client.login({ max_age }));
      expect([titleOf(page), page.text.includes(`name="loginName" value="${alice}"`)]).toEqual([
        'Password',
        true,
      ]);
      const end = await later(() => client.submit(page, '/ui/login/password', { password }));
      const { claims } = await later(() => tokensOf(client, end));
      expect(Number(claims['auth_time'])).toBeGreaterThan(Number(tokens[0]?.claims['auth_time']));
      expect(claims['sid']).toBe(tokens[0]?.claims['sid']);
    },
  );

  it('max_age=3600 with a younger session: none', async () => {
    const { client } = await signedIn(alice);
    expect((await client.login({ max_age: '3600' })).location).toContain('code=');
  });

  it('max_age=0 with two people: the picker first, then the password', async () => {
    const { client } = await signedIn(alice, carol);
    const picker = await client.login({ max_age: '0' });
    const page = await client.submit(picker, '/ui/login/userselection', {
      userselection: '320000000000000013',
    });
    expect([titleOf(picker), titleOf(page)]).toEqual(['Select Account', 'Password']);
  });

  it('prompt=login: an empty page for the login name, and the password', async () => {
    const { client } = await signedIn(alice);
    const page = await client.login({ prompt: 'login' });
    const next = await client.submit(page, '/ui/login/loginname', { loginName: alice });
    expect([titleOf(page), titleOf(next)]).toEqual(['Welcome Back!', 'Password']);
  });

  it('prompt=login with a login_hint or id_token_hint: the password page at once', async () => {
    const { client, tokens } = await signedIn(alice);
    const hints = [{ login_hint: alice }, { id_token_hint: tokens[0]?.id_token }];
    for (const hint of hints) {
      expect(titleOf(await client.login({ prompt: 'login', ...hint }))).toBe('Password');
    }
  });

  it('prompt=select_account: the picker even for one, and no password', async () => {
    const { client } = await signedIn(alice);
    const picker = await client.login({ prompt: 'select_account' });
    expect(titleOf(picker)).toBe('Select Account');
    const answer = await client.submit(picker, '/ui/login/userselection', {
      userID: '320000000000000011',
    });
    expect(answer.location).toContain('code=');
  });

  it('prompt=consent: an empty page for the login name, then no password', async () => {
    const { client, tokens } = await signedIn(alice);
    const page = await client.login({ prompt: 'consent' });
    expect(titleOf(page)).toBe('Welcome Back!');
    const answer = await client.submit(page, '/ui/login/loginname', { loginName: alice });
    expect((await tokensOf(client, answer)).claims['sid']).toBe(tokens[0]?.claims['sid']);
  });

  it('prompt=create, also beside login: the registration page', async () => {
    for (const prompt of ['create', 'login create']) {
      expect(titleOf(await newClient().login({ prompt }))).toBe('Registration');
    }
  });

  it('prompt=none: a code for the only person, interaction_required for nobody and for two', async () => {
    const { client } = await signedIn(alice);
    expect((await client.login({ prompt: 'none' })).location).toContain('code=');
    expect(errorOf(await newClient().login({ prompt: 'none' }))).toBe('interaction_required');
    const { client: two } = await signedIn(alice, carol);
    expect(errorOf(await two.login({ prompt: 'none' }))).toBe('interaction_required');
  });

  it('prompt=none with two people and a hint: a code for that person', async () => {
    const { client, tokens } = await signedIn(alice, carol);
    const hints = [{ login_hint: alice }, { id_token_hint: tokens[0]?.id_token }];
    for (const hint of hints) {
      const answer = await client.login({ prompt: 'none', ...hint });
      expect((await tokensOf(client, answer)).claims.sub).toBe('320000000000000011');
    }
  });

  it('prompt=none with max_age not met: interaction_required', async () => {
    const { client } = await signedIn(alice);
    const answer = await later(() => client.login({ prompt: 'none', max_age: '60' }));
    expect(errorOf(answer)).toBe('interaction_required');
  });

  it('login_hint of the person who is signed in: none; of another: the password page; unknown: as without', async () => {
    const { client } = await signedIn(alice);
    expect((await client.login({ login_hint: alice })).location).toContain('code=');
    const other = await client.login({ login_hint: carol });
    expect([titleOf(other), other.text.includes(`name="loginName" value="${carol}"`)]).toEqual([
      'Password',
      true,
    ]);
    expect(titleOf(await newClient().login({ login_hint: 'nobody@acme.example' }))).toBe('Welcome Back!');
  });

  it('an organization that must be a member: told on the page, and others could not be found', async () => {
    const scope = 'openid urn:zitadel:iam:org:id:320000000000000002';
    const { client } = await signedIn(alice);
    const page = await client.login({ scope });
    expect(page.text).toContain('The user must be a member of the Globex organization.');
    const refused = await client.submit(page, '/ui/login/loginname', { loginName: alice });
    expect([refused.status, alertOf(refused)]).toEqual([200, 'User could not be found']);
    const hinted = await newClient().login({ scope, login_hint: alice });
    expect(titleOf(hinted)).toBe('Welcome Back!');
    const { client: two } = await signedIn(alice, carol);
    expect((await tokensOf(two, await two.login({ scope }))).claims.sub).toBe('320000000000000013');
  });
});

it('Login V1 and Login V2 do not know the sessions of each other', async () => {
  const other = await startSandbox({ loginV2Required: false, second: { loginVersion: 1 } });
  const client = new RelyingParty(other);
  await client.signIn(alice);
  const second = new RelyingParty(other, other.clients.second, 'http://localhost:3002/auth/callback');
  const page = await client.follow(second.authorizeUrl());
  await other.close();
  expect(titleOf(page)).toBe('Welcome Back!');
});

it('the feature "Login V2" of the instance comes before what the application is set to', async () => {
  const other = await startSandbox({ loginV2Required: true, web: { loginVersion: 1 } });
  const client = new RelyingParty(other);
  const paths: string[] = [];
  for (const isRequired of [true, false, true]) {
    other.setLoginV2Required(isRequired);
    paths.push(new URL((await client.authorize()).location).pathname);
  }
  await other.close();
  expect(paths).toEqual(['/ui/v2/login/login', '/ui/login/login', '/ui/v2/login/login']);
});
