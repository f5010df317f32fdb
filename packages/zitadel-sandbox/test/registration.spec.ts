import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { hiddenInput, type Answer } from './support/browser.js';
import { alice, RelyingParty } from './support/relying-party.js';

const password = 'Password1!';
const titleOf = ({ text }: Answer) => /<h1>([^<]*)<\/h1>/.exec(text)?.[1];
const alertOf = ({ text }: Answer) => /role="alert">([^<]*)</.exec(text)?.[1];
const codeOn = ({ text }: Answer) => /the code is <code>(\d{6})</.exec(text)?.[1] ?? '';

const claimsOfNora = (email: string, organization = 'Acme') => ({
  email,
  email_verified: true,
  given_name: 'Nora',
  family_name: 'New',
  name: 'Nora New',
  locale: 'en-u-rg-uszzzz',
  preferred_username: email,
  'urn:zitadel:iam:user:resourceowner:name': organization,
});

describe.each([1, 2] as const)('With Login V%i', (loginVersion) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ web: { loginVersion } });
  });
  afterAll(() => sandbox.close());

  const scope = 'openid profile email urn:zitadel:iam:user:resourceowner';

  async function registrationPage(client: RelyingParty, parameters: Record<string, string> = {}) {
    const page = await client.login({ prompt: 'create', scope, ...parameters });
    expect(titleOf(page)).toBe(loginVersion === 1 ? 'Registration' : 'Register');
    return page;
  }

  const names = (email: string) => ({ firstname: 'Nora', lastname: 'New', email });

  /** Sends names, address and password. Returns the page that asks for the code. */
  async function register(client: RelyingParty, page: Answer, email: string, secret = password) {
    if (loginVersion === 1) {
      const passwords = { 'register-password': secret, 'register-password-confirmation': secret };
      return client.submit(page, '/ui/login/register', { ...names(email), ...passwords });
    }
    const second = await client.submit(page, '/ui/v2/login/register', names(email));
    if (titleOf(second) !== 'Set password') return second;
    const fields = { password: secret, confirmPassword: secret };
    return client.submit(second, '/ui/v2/login/register/password', fields);
  }

  const activation = loginVersion === 1 ? '/ui/login/user/init' : '/ui/v2/login/verify';

  /** Enters the code. Returns the answer that redirects to the application. */
  async function activate(client: RelyingParty, page: Answer, code: string) {
    const done = await client.submit(page, activation, { code });
    if (loginVersion === 2) return done;
    expect(titleOf(done)).toBe('User Activated');
    return client.submit(done, '/ui/login/login', {});
  }

  it('somebody registers, enters the code of the e-mail and comes back to the application', async () => {
    const client = new RelyingParty(sandbox);
    const email = `nora-${loginVersion}@example.com`;
    const page = await register(client, await registrationPage(client), email);
    const wrong = await client.submit(page, activation, { code: '000000' });
    expect(alertOf(wrong)).toBe('Code is invalid');
    const { claims, access_token: token } = await client.tokensOf(
      await activate(client, wrong, codeOn(wrong)),
    );
    expect(claims['amr']).toEqual(['pwd']);
    expect((await client.userinfo(token)).json).toMatchObject(claimsOfNora(email));
    const again = new RelyingParty(sandbox);
    expect((await again.signIn(email)).claims.sub).toBe(claims.sub);
  });

  it('an organization of the request is that of the new user', async () => {
    const client = new RelyingParty(sandbox);
    const globex = sandbox.users.find(({ organization }) => organization === 'Globex')?.home.id ?? '';
    const email = `nils-${loginVersion}@example.com`;
    const wanted = `${scope} urn:zitadel:iam:org:id:${globex}`;
    const page = await register(client, await registrationPage(client, { scope: wanted }), email);
    const { access_token: token } = await client.tokensOf(await activate(client, page, codeOn(page)));
    expect((await client.userinfo(token)).json).toMatchObject(claimsOfNora(email, 'Globex'));
  });

  it.each([
    ['a login name that somebody has', alice, password, 'User already exists'],
    ['no address', 'nobody', password, 'E-Mail is invalid'],
    ['a short password', `short-${loginVersion}@example.com`, 'short', 'Password is too short'],
    ['a long password', `long-${loginVersion}@example.com`, 'Aa1!'.repeat(18), 'Password is too long'],
    ['no small letter', `a-${loginVersion}@example.com`, 'PASSWORD1!', 'Password must contain lower letter'],
    [
      'no capital letter',
      `b-${loginVersion}@example.com`,
      'password1!',
      'Password must contain upper letter',
    ],
    ['no number', `c-${loginVersion}@example.com`, 'Password!!', 'Password must contain number'],
    ['no symbol', `d-${loginVersion}@example.com`, 'Password11', 'Password must contain symbol'],
  ])('%s is refused on the page, and what was entered stays', async (_what, email, secret, error) => {
    const client = new RelyingParty(sandbox);
    const refused = await register(client, await registrationPage(client), email, secret);
    expect(alertOf(refused)).toBe(error);
    expect(hiddenInput(refused.text, 'email') || refused.text).toContain(email);
    expect(sandbox.users.filter((user) => user.loginName === email)).toHaveLength(email === alice ? 1 : 0);
  });
});

describe('The code of an e-mail of Login V1', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ web: { loginVersion: 1 } });
  });
  afterAll(() => sandbox.close());

  const page = '/ui/login/user/init';

  async function registered(client: RelyingParty, email: string): Promise<Answer> {
    const passwords = { 'register-password': password, 'register-password-confirmation': password };
    const names = { firstname: 'Nora', lastname: 'New', email };
    const form = await client.login({ prompt: 'create' });
    return client.submit(form, '/ui/login/register', { ...names, ...passwords });
  }

  it('is on the page again after "Resend Code"', async () => {
    const client = new RelyingParty(sandbox);
    const sent = await registered(client, 'again@example.com');
    const again = await client.submit(sent, page, { resend: 'true' });
    expect([titleOf(again), alertOf(again), codeOn(again)]).toEqual([
      'Activate User',
      undefined,
      codeOn(sent),
    ]);
  });

  it('is filled in at its link, which signs nobody in without the browser that asked', async () => {
    const sent = await registered(new RelyingParty(sandbox), 'link@example.com');
    const link = /<a href="([^"]*)">this is the link</.exec(sent.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const other = new RelyingParty(sandbox);
    const opened = await other.follow(sandbox.issuer + link);
    expect(opened.text).toContain(
      `name="code" type="text" required autocomplete="one-time-code" value="${codeOn(sent)}"`,
    );
    const unsigned = await other.browser.post(sandbox.issuer + page, {
      userID: hiddenInput(opened.text, 'userID'),
    });
    expect(unsigned.status).toBe(403);
    const done = await other.submit(opened, page, { code: codeOn(sent) });
    expect(titleOf(await other.submit(done, '/ui/login/login', {}))).toBe('Console');
    expect(titleOf(await other.login())).toBe('Welcome Back!');
  });

  it.each([page, '/ui/login/user/invite'])('is for nobody at a link to an unknown user: %s', async (path) => {
    const client = new RelyingParty(sandbox);
    expect((await client.follow(client.url(path, { userID: '1' }))).text).toContain(
      'User could not be found',
    );
    const authRequestID = hiddenInput((await client.login()).text, 'authRequestID');
    const answer = await client.follow(client.url(path, { userID: '1', authRequestID }));
    expect([titleOf(answer), alertOf(answer)]).toEqual(['Welcome Back!', 'User could not be found']);
  });
});

describe('Somebody who was invited', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ web: { loginVersion: 1 }, patFile });
  });
  afterAll(async () => {
    await sandbox.close();
    rmSync(folder, { recursive: true });
  });
  const folder = mkdtempSync(join(tmpdir(), 'registration-'));
  const patFile = join(folder, 'admin.pat');

  async function call(path: string, body: object) {
    const answer = await fetch(sandbox.issuer + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${readFileSync(patFile, 'utf8').trim()}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  async function invited(username: string) {
    const organizationId = sandbox.users.find(({ loginName }) => loginName === alice)?.home.id;
    const human = {
      profile: { givenName: 'Ira', familyName: 'Tester' },
      email: { email: `${username}@example.com` },
    };
    const { body } = await call('/v2/users/new', { organizationId, username, human });
    const id = String(body['id']);
    const { body: answer } = await call(`/v2/users/${id}/invite_code`, { returnCode: {} });
    return { id, code: String(answer['inviteCode']), answer };
  }

  it('gets a page for code and password with the login hint, then the password page, then the application', async () => {
    const { code, answer } = await invited('ira');
    expect(answer).toMatchObject({ details: { sequence: expect.any(String) as unknown } });
    const client = new RelyingParty(sandbox);
    const page = await client.login({ login_hint: 'ira' });
    expect(titleOf(page)).toBe('Activate User');
    const fields = { code, password, passwordconfirm: password };
    const again = await client.submit(page, '/ui/login/user/invite', { resend: 'true' });
    expect([titleOf(again), alertOf(again), again.text.includes(code)]).toEqual([
      'Activate User',
      undefined,
      true,
    ]);
    const wrong = await client.submit(page, '/ui/login/user/invite', { ...fields, code: 'AAAAAA' });
    expect(alertOf(wrong)).toBe('Code is invalid');
    const next = await client.submit(wrong, '/ui/login/user/invite', fields);
    expect(titleOf(next)).toBe('Password');
    const { access_token: token } = await client.tokensOf(
      await client.submit(next, '/ui/login/password', { password }),
    );
    expect((await client.userinfo(token)).json).toMatchObject({
      preferred_username: 'ira',
      email_verified: true,
    });
  });

  it('cannot be invited once more after the password was set', async () => {
    const { id } = sandbox.users.find(({ loginName }) => loginName === alice) ?? {};
    expect(await call(`/v2/users/${id}/invite_code`, { returnCode: {} })).toMatchObject({
      status: 400,
      body: { code: 9, message: 'User is already initialized (COMMAND-EF34g)' },
    });
  });
});
