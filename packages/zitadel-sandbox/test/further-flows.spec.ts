import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { Browser, hiddenInput, type Answer } from './support/browser.js';
import { alice, basic, bob, carol, introspect, RelyingParty, tokensFrom } from './support/relying-party.js';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const exchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange';
const tokenType = 'urn:ietf:params:oauth:token-type:';

let sandbox: Sandbox;
let web: RelyingParty;

beforeAll(async () => {
  sandbox = await startSandbox({ device: {}, exchange: {}, implicit: {}, loginV2Required: false });
  web = new RelyingParty(sandbox);
});
afterAll(() => sandbox.close());

function clientOf(name: 'device' | 'exchange' | 'implicit'): RelyingParty {
  const client = sandbox.clients[name];
  if (!client) throw new Error(`There is no client ${name}`);
  return new RelyingParty(sandbox, client);
}

it('An application for a further flow exists if and only if its option is set', async () => {
  const plain = await startSandbox();
  const audience = (await new RelyingParty(plain).signIn()).claims.aud;
  await plain.close();
  expect(Object.keys(plain.clients)).not.toContain('device');
  expect(audience).not.toContain(sandbox.clients.device?.clientId);
});

describe('In the device flow,', () => {
  const allowed = '/ui/login/device/allowed';

  async function start(): Promise<Record<string, string>> {
    const client_id = clientOf('device').client.clientId;
    const scope = 'openid profile offline_access';
    const form = { client_id, scope };
    const { json } = await new Browser().post(`${sandbox.issuer}/oauth/v2/device_authorization`, form);
    return json as Record<string, string>;
  }

  function poll(device_code: string | undefined): Promise<Answer> {
    return clientOf('device').token({ grant_type: deviceGrant, device_code });
  }

  /** Answers at the page of Login V2, which asks for no sign-in. */
  async function answer(user_code: string, action: string): Promise<string> {
    const form = { user_code, action, loginName: alice };
    return (await new Browser().post(`${sandbox.issuer}/ui/v2/login/device`, form)).text;
  }

  /** Opens the verification URI, which is a page of Login V1, and signs in with one click. */
  async function decisionPage(person: RelyingParty, user_code: string): Promise<Answer> {
    const login = await person.follow(person.url('/device', { user_code }));
    return person.submit(login, '/ui/login/login', { loginName: alice });
  }

  it('a device gets tokens once after the user has allowed it at its verification URI', async () => {
    const { device_code, user_code = '', verification_uri_complete = '' } = await start();
    const person = clientOf('device');
    expect(verification_uri_complete).toBe(person.url('/device', { user_code }));
    const page = await decisionPage(person, user_code);
    expect(page.text).toContain(
      `${alice}, you are about to grant device ${person.client.clientId} access to the following scopes`,
    );
    await person.submit(page, allowed, {});
    const tokens = tokensFrom(await poll(device_code));
    expect(tokens.claims).toMatchObject({ sub: '320000000000000011', amr: ['pwd'] });
    expect(tokens.claims['sid']).toMatch(/^V1_/);
    expect(tokens.claims).not.toHaveProperty('nonce');
    expect((await introspect(sandbox, tokens.access_token)).json['active']).toBe(true);
    expect((await clientOf('device').refresh(tokens.refresh_token)).status).toBe(200);
    expect((await poll(device_code)).json).toEqual({ error: 'invalid_grant' });
  });

  it('"Deny" has an effect with Login V2 only', async () => {
    const { device_code, user_code = '' } = await start();
    const person = clientOf('device');
    const page = await decisionPage(person, user_code);
    const refused = await person.submit(page, allowed, {}, '/ui/login/device/denied');
    expect(refused.text).toContain('ID=AUTH-rKLWEH Message=context missing');
    expect((await poll(device_code)).json['error']).toBe('authorization_pending');
    await answer(user_code, 'denied');
    expect((await poll(device_code)).json['error']).toBe('access_denied');
  });

  it('only the browser that signed in decides, by its form, and before the code expires', async () => {
    const { device_code, user_code = '' } = await start();
    const person = clientOf('device');
    const page = await decisionPage(person, user_code);
    const other = await clientOf('device').submit(page, allowed, {});
    expect(other.text).toContain('authentication not completed');
    const authRequestID = hiddenInput(page.text, 'authRequestID');
    expect((await person.browser.post(sandbox.issuer + allowed, { authRequestID })).status).toBe(403);
    const callback = await person.follow(person.url('/oauth/v2/authorize/callback', { id: authRequestID }));
    expect(callback.status).toBe(400);
    expect((await poll(device_code)).json['error']).toBe('authorization_pending');
    sandbox.expire('device_codes');
    expect((await person.submit(page, allowed, {})).text).toContain('Errors.DeviceAuth.NotFound');
    expect((await person.follow(page.url)).text).toContain('Errors.DeviceAuth.NotFound');
  });

  it('Cancel at the sign-in leads back to the page for the code', async () => {
    const { user_code = '' } = await start();
    const person = clientOf('device');
    const login = await person.follow(person.url('/device', { user_code }));
    const page = await person.submit(login, '/ui/login/login', { cancel: 'true' });
    expect(page.text).toContain('User Code');
  });

  it.each([(code: string) => code.toLowerCase(), (code: string) => code.replace('-', '')])(
    'a user code in another form is not found: %s',
    async (typed) => {
      const { user_code = '' } = await start();
      expect(await answer(typed(user_code), 'allowed')).toContain('Errors.DeviceAuth.NotFound');
    },
  );

  it('a device code expires', async () => {
    const { device_code, user_code = '' } = await start();
    sandbox.expire('device_codes');
    expect(await answer(user_code, 'allowed')).toContain('Errors.DeviceAuth.NotFound');
    expect((await poll(device_code)).json).toEqual({
      error: 'expired_token',
      error_description: 'The "device_code" has expired.',
    });
  });

  it('a device gets no tokens for a user who was deactivated after the approval', async () => {
    const { device_code, user_code = '' } = await start();
    await answer(user_code, 'allowed');
    sandbox.setUserActive(alice, false);
    const { json } = await poll(device_code);
    sandbox.setUserActive(alice, true);
    expect(json['error_description']).toBe('Errors.User.NotActive');
  });
});

describe('In a token exchange,', () => {
  async function exchange(form: Record<string, string>): Promise<Answer> {
    const { client } = clientOf('exchange');
    return new Browser().post(
      `${sandbox.issuer}/oauth/v2/token`,
      { grant_type: exchangeGrant, subject_token_type: `${tokenType}access_token`, ...form },
      basic(client.clientId, client.clientSecret ?? ''),
    );
  }

  it('the new token has the same audience and no auth_time', async () => {
    const { access_token, claims } = await web.signIn(alice);
    const { json } = await exchange({ subject_token: access_token });
    const idToken = decodeJwt(json['id_token'] as string);
    expect(idToken).toMatchObject({ sub: claims.sub, amr: ['pwd'], aud: claims.aud });
    for (const claim of ['auth_time', 'nonce', 'sid']) expect(idToken).not.toHaveProperty([claim]);
    const { json: introspected } = await introspect(sandbox, json['access_token'] as string);
    expect(introspected).toMatchObject({ active: true, client_id: sandbox.clients.exchange?.clientId });
    expect(introspected).not.toHaveProperty('auth_time');
    expect((await web.userinfo(access_token)).status).toBe(200);
  });

  it('the new token can have fewer scopes and one audience', async () => {
    const { access_token } = await web.signIn(alice);
    const { clientId } = sandbox.clients.apiBasic;
    const narrowed = { subject_token: access_token, scope: 'openid', audience: clientId };
    const { json } = await exchange(narrowed);
    expect(json['scope']).toBe('openid');
    expect(json).not.toHaveProperty('refresh_token');
    expect(decodeJwt(json['id_token'] as string).aud).toEqual([clientId, sandbox.clients.exchange?.clientId]);
    const token = json['access_token'] as string;
    expect((await introspect(sandbox, token)).json['active']).toBe(false);
  });

  it.each([
    ['audience', 'https://api.example', 'audience "https://api.example" not found in subject or actor token'],
    ['resource', 'https://api.example', 'resource parameter not supported'],
  ])('a %s that the subject token does not have is refused', async (name, value, error_description) => {
    const { access_token } = await web.signIn(alice);
    const { status, json } = await exchange({ subject_token: access_token, [name]: value });
    expect([status, json]).toEqual([400, { error: 'invalid_target', error_description }]);
  });

  it('an ID token is refused as the subject token', async () => {
    const { id_token } = await web.signIn(alice);
    const { json } = await exchange({ subject_token: id_token, subject_token_type: `${tokenType}id_token` });
    expect(json['error_description']).toBe('subject_token invalid');
  });

  it('impersonation gets 403 by default', async () => {
    const { access_token } = await web.signIn(alice);
    const actor = { actor_token: access_token, actor_token_type: `${tokenType}access_token` };
    const { status, json } = await exchange({ subject_token: access_token, ...actor });
    expect([status, json['error_description']]).toEqual([
      403,
      'Errors.TokenExchange.Impersonation.PolicyDisabled',
    ]);
  });
});

describe('In an impersonation,', () => {
  let other: Sandbox;
  let actor: RelyingParty;

  beforeAll(async () => {
    other = await startSandbox({ exchange: {}, impersonators: [bob] });
    actor = new RelyingParty(other);
  });
  afterAll(() => other.close());

  async function impersonate(actorName: string, user: string, form = {}): Promise<Answer> {
    const { exchange } = other.clients;
    const { access_token } = await actor.signIn(actorName);
    return new Browser().post(
      `${other.issuer}/oauth/v2/token`,
      {
        grant_type: exchangeGrant,
        subject_token: other.users.find(({ loginName }) => loginName === user)?.id ?? '',
        subject_token_type: 'urn:zitadel:params:oauth:token-type:user_id',
        actor_token: access_token,
        actor_token_type: `${tokenType}access_token`,
        ...form,
      },
      basic(exchange?.clientId ?? '', exchange?.clientSecret ?? ''),
    );
  }

  it('the token of an impersonator has `act` in ID token, JWT and introspection, but not in userinfo', async () => {
    const { json } = await impersonate(bob, alice, { requested_token_type: `${tokenType}jwt` });
    const act = { iss: other.issuer, sub: '320000000000000012' };
    const token = json['access_token'] as string;
    expect(decodeJwt(token)).toMatchObject({ sub: '320000000000000011', act });
    expect(decodeJwt(json['id_token'] as string)['act']).toEqual(act);
    const introspected = (await introspect(other, token)).json;
    expect(introspected).toMatchObject({ active: true, sub: '320000000000000011', act });
    const { json: userinfo } = await actor.userinfo(token);
    expect(userinfo['sub']).toBe('320000000000000011');
    expect(userinfo).not.toHaveProperty('act');
  });

  it('a refresh keeps the actor and the audience', async () => {
    const { api, exchange } = other.clients;
    const { json } = await impersonate(bob, alice, { audience: api.clientId });
    const refreshed = await new Browser().post(
      `${other.issuer}/oauth/v2/token`,
      { grant_type: 'refresh_token', refresh_token: json['refresh_token'] as string },
      basic(exchange?.clientId ?? '', exchange?.clientSecret ?? ''),
    );
    const { claims } = tokensFrom(refreshed);
    expect(claims['act']).toEqual({ iss: other.issuer, sub: '320000000000000012' });
    expect(claims.aud).toEqual([api.clientId, exchange?.clientId]);
  });

  it.each([
    ['a user without the role', carol, alice],
    ['an impersonator of a user of another organization', bob, carol],
  ])('404 is returned for %s', async (_case, actorName, user) => {
    const { status, json } = await impersonate(actorName, user);
    expect([status, json]).toEqual([
      404,
      { error: 'invalid_request', error_description: 'membership not found' },
    ]);
  });
});

describe('Without a code,', () => {
  const redirect = 'http://localhost:3000/auth/callback';

  it.each(['id_token', 'id_token token'])(
    'a response of type %s is sent in the fragment',
    async (response_type) => {
      const { location } = await clientOf('implicit').choose(alice, { response_type });
      const fragment = new URLSearchParams(new URL(location).hash.slice(1));
      expect(location.split('#')[0]).toBe(redirect);
      const claims = decodeJwt(fragment.get('id_token') ?? '');
      expect(claims).toMatchObject({ nonce: 'the-nonce', azp: sandbox.clients.implicit?.clientId });
      expect('at_hash' in claims).toBe(response_type === 'id_token token');
      expect(fragment.has('access_token')).toBe(response_type === 'id_token token');
      expect(fragment.has('code') || fragment.has('refresh_token')).toBe(false);
    },
  );

  it('the tokens are revoked with the session', async () => {
    const party = clientOf('implicit');
    const { location } = await party.choose(alice, { response_type: 'id_token token' });
    const fragment = new URLSearchParams(new URL(location).hash.slice(1));
    const token = fragment.get('access_token') ?? '';
    expect((await web.userinfo(token)).status).toBe(200);
    await party.endSession({ id_token_hint: fragment.get('id_token') ?? '' });
    expect((await web.userinfo(token)).status).toBe(401);
  });
});

describe('At all endpoints,', () => {
  it.each([
    ['DELETE', 'authorization'],
    ['GET', 'dpop'],
    ['POST', 'content-type, traceparent'],
  ])(
    'a preflight for a method or header that is not allowed gets no CORS headers: %s %s',
    async (method, headers) => {
      const { status, headers: answered } = await new Browser().send(`${sandbox.issuer}/oauth/v2/token`, {
        method: 'OPTIONS',
        headers: {
          origin: 'https://spa.example',
          'access-control-request-method': method,
          'access-control-request-headers': headers,
        },
      });
      expect(status).toBe(204);
      expect([...answered.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    },
  );

  it('the origin of the request is the issuer, in tokens and for assertions', async () => {
    const proxied = { 'x-forwarded-proto': 'https' };
    const url = `${sandbox.issuer}/oauth/v2/token`;
    const robot = sandbox.users.find(({ kind }) => kind === 'machine');
    const form = {
      grant_type: 'client_credentials',
      client_id: robot?.loginName ?? '',
      client_secret: robot?.clientSecret ?? '',
      scope: 'openid',
    };
    const { json } = await new Browser().post(url, form, proxied);
    expect(decodeJwt(json['id_token'] as string).iss).toBe(sandbox.issuer.replace('http:', 'https:'));
  });

  it('a parameter in the query overrides the one in the form', async () => {
    const url = `${sandbox.issuer}/oauth/v2/token?grant_type=foo`;
    const { json } = await new Browser().post(url, { grant_type: 'bar' });
    expect(json['error_description']).toBe('foo not supported');
  });

  it('introspection returns inactive for an assertion whose exp is a string', async () => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const client_assertion = `${part({ alg: 'RS256' })}.${part({ iss: 'x', exp: '9999999999' })}.x`;
    const { json } = await introspect(sandbox, 'any', undefined, { client_assertion });
    expect(json).toEqual({ active: false });
  });
});
