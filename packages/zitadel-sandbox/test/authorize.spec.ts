import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createPrivateKey } from 'node:crypto';
import { SignJWT } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { Browser, type Answer } from './support/browser.js';
import { alice, introspect, RelyingParty, tokensFrom, withSandbox } from './support/relying-party.js';

const contact = 'If you have any questions, you may contact the administrator of the application.';

let sandbox: Sandbox;
let client: RelyingParty;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.close());

function newClient(): RelyingParty {
  return (client = new RelyingParty(sandbox));
}

describe('The authorization endpoint', () => {
  it.each([
    ['no client_id', { client_id: undefined }, 400, 'invalid_request', 'auth request is missing client_id'],
    ['unknown client', { client_id: '399999999999999999' }, 400, 'invalid_request', 'Errors.App.NotFound'],
    [
      'no redirect_uri',
      { redirect_uri: undefined },
      500,
      'server_error',
      'auth request is missing redirect_uri',
    ],
    [
      'redirect_uri not registered',
      { redirect_uri: 'http://localhost:3000/auth/callback/' },
      400,
      'invalid_request',
      `The requested redirect_uri is missing in the client configuration. ${contact}`,
    ],
    [
      'response_type missing',
      { response_type: undefined },
      400,
      'invalid_request',
      `The response type is missing in your request. ${contact}`,
    ],
    [
      'response_type not allowed',
      { response_type: 'id_token token' },
      400,
      'unauthorized_client',
      `The requested response type is missing in the client configuration. ${contact}`,
    ],
    ['max_age not an integer', { max_age: 'soon' }, 400, 'invalid_request', 'error decoding form'],
    [
      'prompt none with another value',
      { prompt: 'none login' },
      400,
      'invalid_request',
      'The prompt parameter `none` must only be used as a single value',
    ],
    [
      'no scope',
      { scope: undefined },
      400,
      'invalid_request',
      `The scope of your request is missing. Please ensure some scopes are requested. ${contact}`,
    ],
    [
      'request object that is no JWT',
      { request: 'a.b' },
      400,
      'invalid_request',
      'parsing of request failed: token contains an invalid number of segments',
    ],
  ])(
    'returns an error in JSON without a redirect for: %s',
    async (_case, parameters, status, error, error_description) => {
      const answer = await newClient().authorize(parameters);
      expect(answer).toMatchObject({ status, location: '', json: { error, error_description } });
    },
  );

  it('returns an error in JSON without a redirect for a deactivated client', async () => {
    await withSandbox({ web: { active: false } }, async (inactive) => {
      const { status, json } = await new RelyingParty(inactive).authorize();
      expect([status, json]).toEqual([
        400,
        { error: 'invalid_request', error_description: 'Errors.App.NotFound' },
      ]);
    });
  });

  it('returns an error in JSON without a redirect for an http redirect URI of a user agent app without Dev Mode', async () => {
    await withSandbox({ web: { applicationType: 'user_agent', devMode: false } }, async (strict) => {
      const { status, json } = await new RelyingParty(strict).authorize();
      expect([status, json['error']]).toEqual([400, 'invalid_request']);
      expect(json['error_description']).toBe(
        `This client's redirect_uri is http and is not allowed. ${contact}`,
      );
    });
  });

  it('accepts an http redirect URI of a web app with the code flow without Dev Mode', async () => {
    await withSandbox({ web: { devMode: false } }, async (strict) => {
      expect((await new RelyingParty(strict).authorize()).status).toBe(302);
    });
  });
});

describe('With a valid request,', () => {
  it('the authorization endpoint redirects with 302 to /ui/v2/login/login?authRequest=V2_<id> of Login V2', async () => {
    const { status, location } = await newClient().authorize();
    expect(status).toBe(302);
    expect(location).toMatch(/\/ui\/v2\/login\/login\?authRequest=V2_\d{18}$/);
  });

  it('the authorization response contains code and state, neither iss nor session_state', async () => {
    const callback = await newClient().callback(alice);
    expect([...callback.keys()].sort()).toEqual(['code', 'state']);
    expect(callback.get('state')).toBe('the-state');
  });

  it('Login V2 sends an empty state when the request has none', async () => {
    const { location } = await newClient().choose(alice, { state: undefined });
    expect(location).toMatch(/\/auth\/callback\?code=[^&]+&state=$/);
  });

  it('an authorization request can be used only once', async () => {
    const { location } = await newClient().authorize();
    const authRequest = new URL(location).searchParams.get('authRequest') ?? '';
    const page = `${sandbox.issuer}/ui/v2/login/login`;
    expect((await client.browser.post(page, { authRequest, loginName: alice })).status).toBe(302);
    expect((await client.browser.post(page, { authRequest, loginName: alice })).status).toBe(500);
  });

  it('the authorization endpoint ignores unknown parameters and acr_values', async () => {
    const callback = await newClient().callback(alice, { acr_values: 'urn:x', claims: '{}', foo: 'bar' });
    expect(callback.has('code')).toBe(true);
  });

  it.each([
    'urn:zitadel:iam:org:project:role:editor',
    'urn:zitadel:iam:org:projects:roles',
    'urn:zitadel:iam:org:project:id:320000000000000100:aud',
    'urn:zitadel:iam:org:project:id:zitadel:aud',
    'urn:zitadel:iam:org:id:320000000000000001',
    'urn:zitadel:iam:org:domain:primary:acme.example',
    'urn:zitadel:iam:org:roles:id:320000000000000001',
    'urn:zitadel:iam:org:idp:id:320000000000000009',
    'urn:zitadel:iam:user:metadata',
    'urn:zitadel:iam:user:resourceowner',
    'groups',
    'urn:zitadel:iam:user:groups',
    'phone',
    'address',
  ])('the authorization endpoint grants the scope %s', async (scope) => {
    const { access_token } = await newClient().signIn(alice, { scope: `openid ${scope} unknown` });
    const granted = String((await introspect(sandbox, access_token)).json['scope']).split(' ');
    expect([granted.includes(scope), granted.includes('unknown')]).toEqual([true, false]);
  });

  it('the authorization endpoint drops unknown scopes, and role scopes without a role of the project, without an error', async () => {
    const roles = 'urn:zitadel:iam:org:project:role:';
    await withSandbox({ projectRoleAssertion: false }, async (plain) => {
      const party = new RelyingParty(plain);
      const { refresh_token } = await party.signIn(alice, {
        scope: `openid offline_access read ${roles}editor ${roles}nobody`,
      });
      const refused = await party.refresh(refresh_token, { scope: `openid ${roles}nobody` });
      const read = await party.refresh(refresh_token, { scope: 'openid read' });
      expect([refused.json['error'], read.json['error']]).toEqual(['invalid_scope', 'invalid_scope']);
      expect((await party.refresh(refresh_token, { scope: `openid ${roles}editor` })).status).toBe(200);
    });
  });

  it('a request without the scope openid succeeds and gets no ID token', async () => {
    const party = newClient();
    const answer = await party.redeem(await party.code(alice, { scope: 'profile' }));
    expect(answer.status).toBe(200);
    expect(answer.json).not.toHaveProperty('id_token');
  });

  it('the authorization endpoint sends the response as a fragment with response_mode=fragment', async () => {
    const { location } = await newClient().choose(alice, { response_mode: 'fragment' });
    expect(location).toMatch(/^http:\/\/localhost:3000\/auth\/callback#code=ey.*&state=the-state$/);
  });

  it('Login V2 ignores response_mode=form_post and redirects', async () => {
    const { status, location } = await newClient().choose(alice, { response_mode: 'form_post' });
    expect([status, new URL(location).searchParams.has('code')]).toEqual([302, true]);
  });

  it('Login V1 responds to response_mode=form_post with a form', async () => {
    await withSandbox({ web: { loginVersion: 1 } }, async (one) => {
      const { status, text } = await new RelyingParty(one).choose(alice, {
        response_mode: 'form_post',
        state: '"><script>',
      });
      expect(status).toBe(200);
      expect(text).toContain('<form method="post" action="http://localhost:3000/auth/callback">');
      expect(text).toMatch(/name="code" value="ey[^"]+"/);
      expect(text).toContain('name="state" value="&quot;&gt;&lt;script&gt;"');
    });
  });

  it('the authorization endpoint accepts a request object signed with the key of the client', async () => {
    await withSandbox({ web: { authMethod: 'private_key_jwt' } }, async (withKey) => {
      const key = withKey.clients.web.key;
      if (!key) throw new Error('a client with private_key_jwt has a key');
      const party = new RelyingParty(withKey);
      const requestObject = (iss: string, claims: Record<string, unknown> = {}): Promise<string> =>
        new SignJWT({ iss, aud: withKey.issuer, state: 'from the object', ...claims })
          .setProtectedHeader({ alg: 'RS256', kid: key.keyId })
          .sign(createPrivateKey(key.key));
      const callback = await party.callback(alice, { request: await requestObject(key.clientId) });
      expect(callback.get('state')).toBe('from the object');
      const refused = await party.authorize({ request: await requestObject('somebody else') });
      expect([refused.status, refused.json['error']]).toEqual([400, 'invalid_request']);
      const own = { client_id: key.clientId, max_age: 0 };
      expect((await party.authorize({ request: await requestObject(key.clientId, own) })).status).toBe(302);
      for (const [claims, description] of [
        [{ client_id: withKey.clients.second.clientId }, 'missing or wrong client id in request'],
        [{ max_age: 'soon' }, 'error decoding form'],
        [{ max_age: -1 }, 'error decoding form'],
        [{ max_age: 1.5 }, 'error decoding form'],
      ] as const) {
        const answer = await party.authorize({ request: await requestObject(key.clientId, claims) });
        expect([answer.status, answer.json['error_description']]).toEqual([400, description]);
      }
    });
  });
});

describe('At the redirect URI,', () => {
  const organization = 'urn:zitadel:iam:org:id:';

  it.each([
    [
      'unknown org scope',
      `openid ${organization}399999999999999999`,
      'invalid_request',
      'Errors.Org.NotFound',
    ],
    [
      'unknown org domain scope',
      'openid urn:zitadel:iam:org:domain:primary:nowhere.example',
      'invalid_request',
      'Errors.Org.NotFound',
    ],
    [
      'two different orgs',
      `openid ${organization}320000000000000001 ${organization}320000000000000002`,
      'invalid_scope',
      'Only one organization scope may be provided',
    ],
  ])('the client gets an error for: %s', async (_case, scope, error, error_description) => {
    const { status, location } = await newClient().authorize({ scope });
    expect(status).toBe(302);
    expect(location.startsWith('http://localhost:3000/auth/callback?')).toBe(true);
    expect(Object.fromEntries(new URL(location).searchParams)).toEqual({
      error,
      error_description,
      state: 'the-state',
    });
  });

  it('the client gets access_denied after Cancel on the login page', async () => {
    const { location } = await newClient().authorize();
    const authRequest = new URL(location).searchParams.get('authRequest') ?? '';
    const answer = await client.browser.post(`${sandbox.issuer}/ui/v2/login/login`, {
      authRequest,
      cancel: 'true',
    });
    const callback = new URL(answer.location).searchParams;
    expect([callback.get('error'), callback.get('state')]).toEqual(['access_denied', 'the-state']);
  });

  it('the client gets a code in spite of an invalid id_token_hint', async () => {
    expect((await newClient().callback(alice, { id_token_hint: 'garbage' })).has('code')).toBe(true);
  });
});

describe('The organization scope', () => {
  it.each(['urn:zitadel:iam:org:id:320000000000000002', 'urn:zitadel:iam:org:domain:primary:globex.example'])(
    '%s limits the login to the users of the organization',
    async (scope) => {
      const { location } = await newClient().authorize({ scope: `openid ${scope}` });
      const page = await client.follow(location);
      expect(page.text).toContain('carol@globex.example');
      expect(page.text).not.toContain('alice@acme.example');
      const authRequest = new URL(location).searchParams.get('authRequest') ?? '';
      const refused = await client.browser.post(location, { authRequest, loginName: alice });
      expect([refused.status, refused.text.includes('User could not be found.')]).toEqual([400, true]);
      const chosen = await client.browser.post(location, { authRequest, loginName: 'carol@globex.example' });
      expect(chosen.location).toContain('code=');
    },
  );
});

describe('In Login V2,', () => {
  /** Sends an authorization request from a browser that has a session of alice. */
  async function again(parameters: Record<string, string>, party = client): Promise<Answer> {
    return party.login(parameters);
  }

  beforeAll(async () => {
    await newClient().signIn(alice);
  });

  it('a session completes a login without a page and keeps its auth_time', async () => {
    const first = await client.signIn(alice);
    const { status, location } = await again({});
    expect(status).toBe(302);
    const { claims } = tokensFrom(await client.redeem(new URL(location).searchParams.get('code') ?? ''));
    expect([claims['sid'], claims['auth_time']]).toEqual([first.claims['sid'], first.claims['auth_time']]);
  });

  it('a session of one client signs the user in to a second client', async () => {
    const second = new RelyingParty(sandbox, sandbox.clients.second, 'http://localhost:3002/auth/callback');
    const { location } = await client.browser.get(second.authorizeUrl());
    const answer = await client.browser.get(location);
    expect(answer.location.startsWith('http://localhost:3002/auth/callback?code=')).toBe(true);
    const { claims } = tokensFrom(
      await second.redeem(new URL(answer.location).searchParams.get('code') ?? ''),
    );
    expect([claims.sub, claims['azp']]).toEqual(['320000000000000011', sandbox.clients.second.clientId]);
  });

  it('a session belongs to one browser', async () => {
    const stranger = new RelyingParty(sandbox);
    expect((await again({}, stranger)).text).toContain('with one click');
  });

  it.each([
    ['login', { prompt: 'login' }],
    ['select_account', { prompt: 'select_account' }],
    ['login_hint of another user', { login_hint: 'bob@acme.example' }],
  ])('the login page appears despite a session for the parameter %s', async (_name, parameters) => {
    const { status, text } = await again(parameters);
    expect([status, text.includes('with one click')]).toEqual([200, true]);
  });

  it('prompt=create shows the registration page', async () => {
    const { text } = await again({ prompt: 'create' });
    expect(text).toContain('<h1>Register</h1>');
  });

  it('prompt=login starts a new session for the same user', async () => {
    const before = await client.signIn(alice);
    const after = await client.signIn(alice, { prompt: 'login' });
    expect(after.claims['sid']).not.toBe(before.claims['sid']);
  });

  it('Login V2 ignores max_age and prompt=consent', async () => {
    expect((await again({ max_age: '0' })).location).toContain('code=');
    expect((await again({ prompt: 'consent' })).location).toContain('code=');
  });

  it('a session completes a login whose login_hint names its user', async () => {
    expect((await again({ login_hint: alice })).location).toContain('code=');
  });

  it('a session does not complete a login whose id_token_hint names another user', async () => {
    const bob = await new RelyingParty(sandbox).signIn('bob@acme.example');
    expect((await again({ id_token_hint: bob.id_token })).text).toContain('with one click');
    const own = await client.signIn(alice);
    expect((await again({ id_token_hint: own.id_token })).location).toContain('code=');
  });

  it('login_hint without a session leads to the password page and lists its user first', async () => {
    const { url, text } = await again({ login_hint: 'carol@globex.example' }, new RelyingParty(sandbox));
    expect(new URL(url).pathname).toBe('/ui/v2/login/password');
    expect(text).toContain('<input type="hidden" name="loginName" value="carol@globex.example">');
    expect(text.indexOf('carol@globex.example')).toBeLessThan(text.indexOf(alice));
  });

  it('the login page accepts ui_locales and says that it has English only', async () => {
    expect((await again({ prompt: 'login', ui_locales: 'de fr' })).text).toContain('<code>de fr</code>');
  });

  it('prompt=none with a session completes the login', async () => {
    expect((await again({ prompt: 'none' })).location).toContain('code=');
  });

  it('prompt=none in a browser without a session leads to the login page', async () => {
    const { url, status } = await again({ prompt: 'none' }, new RelyingParty(sandbox));
    expect([new URL(url).pathname, status]).toEqual(['/ui/v2/login/loginname', 200]);
  });

  it('prompt=none for another user gets 400 "No active session found"', async () => {
    const { status, json } = await again({ prompt: 'none', login_hint: 'bob@acme.example' });
    expect([status, json]).toEqual([400, { error: 'No active session found' }]);
  });

  it('an expired session does not complete a login', async () => {
    sandbox.expire('sessions');
    expect((await again({})).text).toContain('with one click');
  });
});

describe('With Login V1,', () => {
  let one: Sandbox;
  beforeAll(async () => {
    one = await startSandbox({ web: { loginVersion: 1, refreshTokenGrant: false } });
  });
  afterAll(() => one.close());

  it('the authorization endpoint redirects with 302 to /ui/login/login?authRequestID=<id>', async () => {
    const party = new RelyingParty(one);
    expect((await party.authorize()).location).toMatch(/\/ui\/login\/login\?authRequestID=\d{18}$/);
    expect((await party.callback(alice)).has('code')).toBe(true);
  });

  it('the authorization endpoint sends error=interaction_required for prompt=none without a session', async () => {
    const party = new RelyingParty(one);
    const { location } = await party.login({ prompt: 'none' });
    expect(Object.fromEntries(new URL(location).searchParams)).toEqual({
      error: 'interaction_required',
      error_description:
        'Unfortunately, the user may be not logged in and/or additional interaction is required.',
      state: 'the-state',
    });
  });

  it('the authorization endpoint issues a refresh token without the grant, which the token endpoint refuses with unauthorized_client', async () => {
    const party = new RelyingParty(one);
    const { refresh_token } = await party.signIn();
    expect(refresh_token).not.toBe('');
    const { status, json } = await party.refresh(refresh_token);
    expect([status, json['error']]).toEqual([400, 'unauthorized_client']);
  });

  it('the sid is V1_<id>', async () => {
    expect((await new RelyingParty(one).signIn()).claims['sid']).toMatch(/^V1_\d{18}$/);
  });
});

describe('In the check of redirect URIs,', () => {
  const registered = [
    'http://localhost:*/cb',
    'http://*.preview.localhost/**',
    'http://localhost:3000/{red,blue}/cb',
    'http://localhost:3000/v[12]/c?',
  ];

  it.each([
    ['http://localhost:4711/cb', true],
    ['http://localhost:4711/other', false],
    ['http://a.preview.localhost/x/y', true],
    ['http://a/b.preview.localhost/x', false],
    ['http://localhost:3000/blue/cb', true],
    ['http://localhost:3000/green/cb', false],
    ['http://localhost:3000/v2/cb', true],
    ['http://localhost:3000/v3/cb', false],
  ])('a glob matches with Dev Mode as follows: %s is %s', async (redirect_uri, allowed) => {
    await withSandbox({ web: { redirectUris: registered } }, async (dev) => {
      const { status } = await new RelyingParty(dev).authorize({ redirect_uri });
      expect(status).toBe(allowed ? 302 : 400);
    });
  });

  it.each(['http://localhost:abc/cb', 'http://localhost:4711\r\n/cb', 'http://localhost:\u0000/cb'])(
    'an invalid URI is refused although a glob matches it: %j',
    async (redirect_uri) => {
      await withSandbox(
        { web: { redirectUris: [...registered, redirect_uri], postLogoutRedirectUris: registered } },
        async (dev) => {
          const party = new RelyingParty(dev);
          const { status, json } = await party.authorize({ redirect_uri });
          expect([status, json['error']]).toEqual([400, 'invalid_request']);
          const out = await party.endSession({
            client_id: party.client.clientId,
            post_logout_redirect_uri: redirect_uri,
          });
          expect([out.status, out.json['error']]).toEqual([400, 'invalid_request']);
        },
      );
    },
  );

  it('the query of a registered URI is kept, and code and state are appended', async () => {
    const redirect_uri = 'http://localhost:3000/cb?tenant=a+b%2Fc&state=mine';
    await withSandbox({ web: { redirectUris: [redirect_uri], devMode: false } }, async (dev) => {
      const { location } = await new RelyingParty(dev).choose(alice, { redirect_uri });
      expect(location.startsWith(`${redirect_uri}&code=ey`)).toBe(true);
      expect(location.endsWith('&state=the-state')).toBe(true);
    });
  });

  it('without Dev Mode only the exact string matches', async () => {
    await withSandbox({ web: { redirectUris: registered, devMode: false } }, async (strict) => {
      const { status } = await new RelyingParty(strict).authorize({
        redirect_uri: 'http://localhost:4711/cb',
      });
      expect(status).toBe(400);
    });
  });

  it('a native app may use any loopback port and custom schemes', async () => {
    const redirectUris = ['http://127.0.0.1/cb', 'com.example.app:/cb'];
    await withSandbox(
      { web: { applicationType: 'native', devMode: false, redirectUris } },
      async (native) => {
        const party = new RelyingParty(native);
        const status = async (redirect_uri: string): Promise<number> =>
          (await party.authorize({ redirect_uri })).status;
        expect(await status('http://127.0.0.1:51234/cb')).toBe(302);
        expect(await status('http://127.0.0.1:51234/other')).toBe(400);
        expect(await status('com.example.app:/cb')).toBe(302);
        const { location } = await party.choose(alice, { redirect_uri: 'com.example.app:/cb' });
        expect(location).toMatch(/^com\.example\.app:\/cb\?code=/);
      },
    );
  });
});

it('An unknown path gets a 404', async () => {
  expect((await new Browser().get(`${sandbox.issuer}/oauth/v2/nothing`)).status).toBe(404);
});
