import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import type { Answer } from './support/browser.js';
import { alice, bob, carol, RelyingParty, type Tokens } from './support/relying-party.js';

const password = 'Password1!';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ web: { loginVersion: 1 } });
});
afterAll(() => sandbox.close());

function titleOf({ text }: Answer): string | undefined {
  return /<h1>([^<]*)<\/h1>/.exec(text)?.[1];
}

function alertOf({ text }: Answer): string | undefined {
  return /role="alert">([^<]*)</.exec(text)?.[1];
}

function errorOf({ location }: Answer): string | null {
  return new URL(location).searchParams.get('error');
}

async function signedIn(...people: string[]): Promise<{ client: RelyingParty; tokens: Tokens[] }> {
  const client = new RelyingParty(sandbox);
  const tokens: Tokens[] = [];
  for (const one of people) tokens.push(await client.signIn(one, { prompt: 'login' }));
  return { client, tokens };
}

/** Runs with a clock that is two hours ahead. */
async function later<Result>(run: () => Promise<Result>): Promise<Result> {
  const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000);
  try {
    return await run();
  } finally {
    clock.mockRestore();
  }
}

describe('On the pages of Login V1,', () => {
  it('a browser without JavaScript gets through login name, password and callback to the application', async () => {
    const client = new RelyingParty(sandbox);
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
    const { claims } = await client.tokensOf(await client.browser.get(end.location));
    expect([claims.sub, claims['sid']]).toEqual(['320000000000000011', expect.stringMatching(/^V1_\d{18}$/)]);
  });

  it('an error is shown on a page with status 200', async () => {
    const client = new RelyingParty(sandbox);
    const unknown = await client.submit(await client.login(), '/ui/login/loginname', { loginName: 'nobody' });
    expect([unknown.status, alertOf(unknown)]).toEqual([200, 'User could not be found']);
    const page = await client.submit(unknown, '/ui/login/loginname', { loginName: alice });
    const wrong = await client.submit(page, '/ui/login/password', { password: 'wrong' });
    expect([wrong.status, titleOf(wrong), alertOf(wrong)]).toEqual([200, 'Password', 'Password is invalid']);
  });

  it('a form without its CSRF token is refused', async () => {
    const client = new RelyingParty(sandbox);
    const { location } = await client.authorize();
    const authRequestID = new URL(location).searchParams.get('authRequestID') ?? '';
    const answer = await client.browser.post(`${sandbox.issuer}/ui/login/loginname`, {
      authRequestID,
      loginName: alice,
    });
    expect(answer.status).toBe(403);
  });

  it('the sign-in with one request is available and needs no cookie', async () => {
    const { client } = await signedIn(alice);
    const pages = [
      await new RelyingParty(sandbox).login(),
      await new RelyingParty(sandbox).login({ login_hint: alice }),
      await client.login({ prompt: 'select_account' }),
      await new RelyingParty(sandbox).login({ prompt: 'create' }),
    ];
    expect(pages.map(titleOf)).toEqual(['Welcome Back!', 'Password', 'Select Account', 'Registration']);
    for (const page of pages) {
      const { location } = await new RelyingParty(sandbox).submit(page, '/ui/login/login', {
        loginName: carol,
      });
      expect(location).toContain('code=');
    }
  });

  it('a user with an unverified e-mail address must enter the code first', async () => {
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
    const { access_token } = await client.tokensOf(end);
    expect((await client.userinfo(access_token)).json['email_verified']).toBe(true);
    await other.close();
  });

  it.each([
    [
      '?id=garbage',
      'ID=CACHE-d24aD Message=Errors.AuthRequest.NotFound Parent=(sql: no rows in result set)\n',
    ],
    ['', 'auth request callback is missing id\n'],
  ])('the callback without an authorization request returns plain text: %s', async (query, text) => {
    const answer = await new RelyingParty(sandbox).browser.get(
      `${sandbox.issuer}/oauth/v2/authorize/callback${query}`,
    );
    expect([answer.status, answer.text]).toEqual([400, text]);
  });

  it('the callback sends the code only to the browser that signed in', async () => {
    const { client } = await signedIn(alice);
    const handedOver = await client.browser.get((await client.authorize()).location);
    const stranger = await new RelyingParty(sandbox).browser.get(handedOver.location);
    expect(errorOf(stranger)).toBe('interaction_required');
  });
});

/** Source: the table of the login versions in docs/sandbox.md. */
describe('In Login V1,', () => {
  it('a single session completes the login without a page and keeps its auth_time', async () => {
    const { client, tokens } = await signedIn(alice);
    const answer = await later(() => client.login({}));
    expect((await client.tokensOf(answer)).claims['auth_time']).toBe(tokens[0]?.claims['auth_time']);
  });

  it('two sessions lead to the account picker, without a password', async () => {
    const { client } = await signedIn(alice, carol);
    const picker = await client.login();
    expect(titleOf(picker)).toBe('Select Account');
    const buttons = [...picker.text.matchAll(/<button [^>]*name="userselection" value="(\d+)"/g)];
    expect(buttons.map(([, value]) => value)).toEqual(['320000000000000013', '320000000000000011', '0']);
    const answer = await client.submit(picker, '/ui/login/userselection', {
      userselection: '320000000000000011',
    });
    expect((await client.tokensOf(answer)).claims.sub).toBe('320000000000000011');
  });

  it('"Other User" of the account picker leads to an empty login name page', async () => {
    const { client } = await signedIn(alice, carol);
    const page = await client.submit(await client.login(), '/ui/login/userselection', { userselection: '0' });
    expect(titleOf(page)).toBe('Welcome Back!');
  });

  it.each(['0', '60'])(
    'max_age=%s with an older session leads to the password page and a new auth_time',
    async (max_age) => {
      const { client, tokens } = await signedIn(alice);
      const page = await later(() => client.login({ max_age }));
      expect([titleOf(page), page.text.includes(`name="loginName" value="${alice}"`)]).toEqual([
        'Password',
        true,
      ]);
      const end = await later(() => client.submit(page, '/ui/login/password', { password }));
      const { claims } = await later(() => client.tokensOf(end));
      expect(Number(claims['auth_time'])).toBeGreaterThan(Number(tokens[0]?.claims['auth_time']));
      expect(claims['sid']).toBe(tokens[0]?.claims['sid']);
    },
  );

  it('max_age=3600 with a younger session completes the login without a page', async () => {
    const { client } = await signedIn(alice);
    expect((await client.login({ max_age: '3600' })).location).toContain('code=');
  });

  it('max_age=0 with two sessions leads to the account picker, then to the password page', async () => {
    const { client } = await signedIn(alice, carol);
    const picker = await client.login({ max_age: '0' });
    const page = await client.submit(picker, '/ui/login/userselection', {
      userselection: '320000000000000013',
    });
    expect([titleOf(picker), titleOf(page)]).toEqual(['Select Account', 'Password']);
  });

  it('prompt=login leads to an empty login name page, then to the password page', async () => {
    const { client } = await signedIn(alice);
    const page = await client.login({ prompt: 'login' });
    const next = await client.submit(page, '/ui/login/loginname', { loginName: alice });
    expect([titleOf(page), titleOf(next)]).toEqual(['Welcome Back!', 'Password']);
  });

  it('prompt=login with a login_hint or id_token_hint leads to the password page', async () => {
    const { client, tokens } = await signedIn(alice);
    const hints = [{ login_hint: alice }, { id_token_hint: tokens[0]?.id_token }];
    for (const hint of hints) {
      expect(titleOf(await client.login({ prompt: 'login', ...hint }))).toBe('Password');
    }
  });

  it('prompt=select_account leads to the account picker even for one session, without a password', async () => {
    const { client } = await signedIn(alice);
    const picker = await client.login({ prompt: 'select_account' });
    expect(titleOf(picker)).toBe('Select Account');
    const answer = await client.submit(picker, '/ui/login/userselection', {
      userID: '320000000000000011',
    });
    expect(answer.location).toContain('code=');
  });

  it('prompt=consent leads to an empty login name page, without a password', async () => {
    const { client, tokens } = await signedIn(alice);
    const page = await client.login({ prompt: 'consent' });
    expect(titleOf(page)).toBe('Welcome Back!');
    const answer = await client.submit(page, '/ui/login/loginname', { loginName: alice });
    expect((await client.tokensOf(answer)).claims['sid']).toBe(tokens[0]?.claims['sid']);
  });

  it('prompt=create leads to the registration page, also together with login', async () => {
    for (const prompt of ['create', 'login create']) {
      expect(titleOf(await new RelyingParty(sandbox).login({ prompt }))).toBe('Registration');
    }
  });

  it('prompt=none sends a code with one session, and interaction_required with none or two', async () => {
    const { client } = await signedIn(alice);
    expect((await client.login({ prompt: 'none' })).location).toContain('code=');
    expect(errorOf(await new RelyingParty(sandbox).login({ prompt: 'none' }))).toBe('interaction_required');
    const { client: two } = await signedIn(alice, carol);
    expect(errorOf(await two.login({ prompt: 'none' }))).toBe('interaction_required');
  });

  it('prompt=none with two sessions and a hint sends a code for that user', async () => {
    const { client, tokens } = await signedIn(alice, carol);
    const hints = [{ login_hint: alice }, { id_token_hint: tokens[0]?.id_token }];
    for (const hint of hints) {
      const answer = await client.login({ prompt: 'none', ...hint });
      expect((await client.tokensOf(answer)).claims.sub).toBe('320000000000000011');
    }
  });

  it('prompt=none with a session older than max_age sends interaction_required', async () => {
    const { client } = await signedIn(alice);
    const answer = await later(() => client.login({ prompt: 'none', max_age: '60' }));
    expect(errorOf(answer)).toBe('interaction_required');
  });

  it('login_hint of the signed-in user completes the login, of another user leads to the password page, and of an unknown user is ignored', async () => {
    const { client } = await signedIn(alice);
    expect((await client.login({ login_hint: alice })).location).toContain('code=');
    const other = await client.login({ login_hint: carol });
    expect([titleOf(other), other.text.includes(`name="loginName" value="${carol}"`)]).toEqual([
      'Password',
      true,
    ]);
    expect(titleOf(await new RelyingParty(sandbox).login({ login_hint: 'nobody@acme.example' }))).toBe(
      'Welcome Back!',
    );
  });

  it('an organization scope is shown on the page, and users of other organizations are not found', async () => {
    const scope = 'openid urn:zitadel:iam:org:id:320000000000000002';
    const { client } = await signedIn(alice);
    const page = await client.login({ scope });
    expect(page.text).toContain('The user must be a member of the Globex organization.');
    const refused = await client.submit(page, '/ui/login/loginname', { loginName: alice });
    expect([refused.status, alertOf(refused)]).toEqual([200, 'User could not be found']);
    const hinted = await new RelyingParty(sandbox).login({ scope, login_hint: alice });
    expect(titleOf(hinted)).toBe('Welcome Back!');
    const { client: two } = await signedIn(alice, carol);
    expect((await two.tokensOf(await two.login({ scope }))).claims.sub).toBe('320000000000000013');
  });
});

it('Login V1 and Login V2 have separate sessions', async () => {
  const other = await startSandbox({ loginV2Required: false, second: { loginVersion: 1 } });
  const client = new RelyingParty(other);
  await client.signIn(alice);
  const second = new RelyingParty(other, other.clients.second, 'http://localhost:3002/auth/callback');
  const page = await client.follow(second.authorizeUrl());
  await other.close();
  expect(titleOf(page)).toBe('Welcome Back!');
});

it('The feature "Login V2" of the instance overrides the setting of the application', async () => {
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
