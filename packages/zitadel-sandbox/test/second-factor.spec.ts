import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import type { Answer } from './support/browser.js';
import { introspect, RelyingParty, type Tokens } from './support/relying-party.js';

const erin = 'erin@acme.example';
const pia = 'pia@acme.example';
const password = 'Password1!';

/** What Zitadel names after a password, with a one-time code, and with a passkey. */
const byPassword = ['pwd'];
const byCode = ['pwd', 'otp', 'mfa'];
const byPasskey = ['user', 'mfa'];

const codeOn = ({ text }: Answer) => /the code: it is <code>(\d{6})</.exec(text)?.[1] ?? '';
const titleOf = ({ text }: Answer) => /<h1>([^<]*)<\/h1>/.exec(text)?.[1];
const alertOf = ({ text }: Answer) => /role="alert">([^<]*)</.exec(text)?.[1];

/** What the ID token, the one after a refresh and the introspection say of the sign-in. */
async function methodsIn(client: RelyingParty, { claims, access_token, refresh_token }: Tokens) {
  const introspected = (await introspect(client.sandbox, access_token)).json;
  const { json } = await client.refresh(refresh_token);
  const [, payload = ''] = String(json['id_token']).split('.');
  const refreshed = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  return [claims, introspected, refreshed].map(({ amr, auth_time }) => ({ amr, auth_time }));
}

describe.each([
  { version: 1, name: '/ui/login/loginname', pass: '/ui/login/password', code: '/ui/login/mfa/verify' },
  {
    version: 2,
    name: '/ui/v2/login/loginname',
    pass: '/ui/v2/login/password',
    code: '/ui/v2/login/otp/time-based',
  },
] as const)('Login V$version, of a user with an authenticator app,', ({ version, ...paths }) => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({ web: { loginVersion: version } });
  });
  afterAll(() => sandbox.close());

  async function afterPassword(client: RelyingParty, parameters: Record<string, string> = {}) {
    let page = await client.login({ scope: 'openid profile offline_access', ...parameters });
    if (page.text.includes(`action="${paths.name}"`))
      page = await client.submit(page, paths.name, { loginName: erin });
    return client.submit(page, paths.pass, { password });
  }

  it('asks for the code after the password, and names methods and time in all tokens', async () => {
    const client = new RelyingParty(sandbox);
    const page = await afterPassword(client);
    expect(titleOf(page)).toBe('Verify 2-Factor');
    const tokens = await client.tokensOf(await client.submit(page, paths.code, { code: codeOn(page) }));
    const expected = { amr: byCode, auth_time: tokens.claims['auth_time'] };
    expect(await methodsIn(client, tokens)).toEqual([expected, expected, expected]);
  });

  it('has no session before the code, and shows the page again after a wrong one', async () => {
    const client = new RelyingParty(sandbox);
    const page = await afterPassword(client);
    const wrong = await client.submit(page, paths.code, { code: 'wrong' });
    expect([titleOf(wrong), alertOf(wrong)]).toEqual(['Verify 2-Factor', 'Invalid code']);
    expect((await client.login()).location).not.toContain('code=');
    expect((await client.submit(wrong, paths.code, { code: codeOn(wrong) })).location).toContain('code=');
  });

  it('refuses a code before the password', async () => {
    const client = new RelyingParty(sandbox);
    const page = await afterPassword(client);
    const { location } = await client.authorize();
    const id = new URL(location).searchParams;
    const other = id.get('authRequestID') ?? id.get('authRequest') ?? '';
    const token = /name="gorilla.csrf.Token" value="([^"]+)"/.exec((await client.follow(location)).text)?.[1];
    const answer = await client.browser.post(`${sandbox.issuer}${paths.code}`, {
      authRequestID: other,
      'gorilla.csrf.Token': token ?? '',
      code: codeOn(page),
    });
    expect(answer.location).not.toContain('code=');
  });

  it('asks for both again with prompt=login and a hint', async () => {
    const client = new RelyingParty(sandbox);
    const first = await client.signIn(erin);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    const page = await afterPassword(client, { prompt: 'login', max_age: '0', login_hint: erin });
    const end = await client.submit(page, paths.code, { code: codeOn(page) });
    const { claims } = await client.tokensOf(end);
    clock.mockRestore();
    expect(claims['amr']).toEqual(byCode);
    expect(Number(claims['auth_time']) - Number(first.claims['auth_time'])).toBeGreaterThanOrEqual(59);
    expect(claims['sid'] === first.claims['sid']).toBe(version === 1);
  });
});

it('Login V1 asks for the password again with max_age=0, and Login V2 ignores it', async () => {
  for (const [loginVersion, title] of [
    [1, 'Password'],
    [2, undefined],
  ] as const) {
    const sandbox = await startSandbox({ web: { loginVersion } });
    const client = new RelyingParty(sandbox);
    await client.signIn(erin);
    expect(titleOf(await client.login({ max_age: '0' }))).toBe(title);
    await sandbox.close();
  }
});

describe('The sign-in with one request', () => {
  let sandbox: Sandbox;
  beforeAll(async () => {
    sandbox = await startSandbox({
      users: [
        { loginName: erin, secondFactor: 'totp' },
        { loginName: pia, secondFactor: 'passkey' },
        { loginName: 'x' },
      ],
    });
  });
  afterAll(() => sandbox.close());

  it.each([
    [erin, byCode],
    [pia, byPasskey],
    ['x', byPassword],
  ])('has all methods that are set up for %s', async (loginName, amr) => {
    expect((await new RelyingParty(sandbox).signIn(loginName)).claims['amr']).toEqual(amr);
  });

  it('has only the method pwd after a password in place of a passkey', async () => {
    const client = new RelyingParty(sandbox);
    await client.signIn(pia);
    const page = await client.login({ prompt: 'login' });
    const end = await client.submit(page, '/ui/v2/login/login', { loginName: pia, password });
    expect((await client.tokensOf(end)).claims['amr']).toEqual(byPassword);
  });
});
