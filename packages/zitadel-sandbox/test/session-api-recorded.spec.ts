import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { managed } from './support/management.js';
import { exchangesOf } from './support/recorded/recording.js';
import { RelyingParty, tokensFrom } from './support/relying-party.js';

type Json = Record<string, unknown>;

/** What a running Zitadel told a login UI about an authorization request, and what it answered to the end of the sign-in. */
interface Login {
  name: string;
  authorize: Record<string, string>;
  told?: { status: number; body: Json };
  /** `json` is there where the login UI reports an error in place of a session */
  finish?: { json?: Json; status: number; body: Json };
}

const logins = JSON.parse(
  readFileSync(new URL('recorded/session-api.json', import.meta.url), 'utf8'),
) as Login[];

const [alpha, beta] = [1, 2].map((index) => ({
  name: `Organization ${index}`,
  id: `30000000001000010${index}`,
}));
const aliceId = '300000000010000116';
const redirectUri = 'http://localhost:3301/auth/callback';

const folder = mkdtempSync(join(tmpdir(), 'session-api-'));
let sandbox: Sandbox;
let session: Json;
beforeAll(async () => {
  sandbox = await startSandbox({
    organizations: [alpha, beta].filter((one) => one !== undefined),
    users: [{ loginName: 'alice', id: aliceId, organization: alpha?.name ?? '' }],
    web: { redirectUris: [redirectUri] },
    device: {},
    patFile: join(folder, 'admin.pat'),
  });
  const checks = { user: { loginName: 'alice' }, password: { password: 'Password1!' } };
  const { body } = await managed(sandbox, 'POST /v2/sessions', { checks });
  session = { sessionId: body['sessionId'], sessionToken: body['sessionToken'] };
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** Ids, times and codes are the server's own; the roles of the recorded project are others. */
const comparable = (body: Json) =>
  JSON.parse(
    JSON.stringify(body)
      .replaceAll(/"\d{4}-\d\d-\d\dT[\d:.]+Z"/g, '"<time>"')
      .replaceAll(/code=[^&"]+/g, 'code=<code>')
      .replaceAll(/"(resourceOwner|clientId)":"\d{18}"/g, '"$1":"<id>"')
      .replaceAll(/V2_\d{18}/g, 'V2_<id>')
      .replaceAll(/,"urn:zitadel:iam:org:project:role:\w+"/g, ''),
  ) as Json;

describe('A login UI gets the answers of the recorded Zitadel', () => {
  it.each(logins.map((one) => [one.name, one] as const))('%s', async (_name, { authorize, told, finish }) => {
    const client = new RelyingParty(sandbox, sandbox.clients.web, redirectUri);
    const hint = authorize['id_token_hint'] && (await client.signIn('alice')).id_token;
    const { location } = await client.authorize({
      ...authorize,
      state: 'state-1',
      ...(hint && { id_token_hint: hint }),
    });
    const path = `/v2/oidc/auth_requests/${new URL(location).searchParams.get('authRequest')}`;
    if (told) {
      const answer = await managed(sandbox, `GET ${path}`);
      expect([answer.status, comparable(answer.body)]).toEqual([told.status, comparable(told.body)]);
    }
    if (finish) {
      const answer = await managed(sandbox, `POST ${path}`, finish.json ?? { session });
      expect([answer.status, comparable(answer.body)]).toEqual([finish.status, comparable(finish.body)]);
    }
  });
});

describe('A login UI decides about a device', () => {
  const [read, denial, poll] = exchangesOf('device-session-api').map(({ request, response }) => ({
    json: request?.json,
    status: response?.status,
    body: response?.body as Json,
  }));

  async function request(): Promise<{ client: RelyingParty; codes: Record<string, string>; id: string }> {
    const client = new RelyingParty(sandbox, sandbox.clients.device);
    const { json } = await client.browser.post(`${sandbox.issuer}/oauth/v2/device_authorization`, {
      client_id: client.client.clientId,
      scope: 'openid',
    });
    const codes = json as Record<string, string>;
    const { status, body } = await managed(
      sandbox,
      `GET /v2/oidc/device_authorization/${codes['user_code']}`,
    );
    const told = body['deviceAuthorizationRequest'] as Json;
    const recorded = read?.body['deviceAuthorizationRequest'] as Json;
    // the names of application and project and the other roles are those of the recorded server
    expect([
      status,
      comparable({ ...told, id: String(told['id']).replace(/^eyJ[\w-]+(\.[\w-]+){4}$/, 'JWE') }),
    ]).toEqual([
      read?.status,
      {
        ...comparable(recorded),
        ...{ id: 'JWE', clientId: '<id>', appName: 'Device', projectName: told['projectName'] },
      },
    ]);
    return { client, codes, id: String(told['id']) };
  }

  const tokens = (client: RelyingParty, codes: Record<string, string>) =>
    client.token({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: codes['device_code'],
    });

  it('a denied one gets the answers of the recorded Zitadel, and can be answered once', async () => {
    const { client, codes, id } = await request();
    const path = `/v2/oidc/device_authorization/${id}` as const;
    const denied = await managed(sandbox, `POST ${path}`, denial?.json);
    expect([denied.status, denied.body]).toEqual([denial?.status, denial?.body]);
    const answer = await tokens(client, codes);
    expect([answer.status, answer.json]).toEqual([poll?.status, poll?.body]);
    expect(await managed(sandbox, `POST ${path}`, { session })).toMatchObject({
      status: 400,
      body: { message: 'Errors.DeviceAuth.AlreadyHandled (COMMAND-GEJL3)' },
    });
  });

  it('a session allows it', async () => {
    const { client, codes, id } = await request();
    expect((await managed(sandbox, `POST /v2/oidc/device_authorization/${id}`, { session })).status).toBe(
      200,
    );
    expect(tokensFrom(await tokens(client, codes)).claims).toMatchObject({
      sub: aliceId,
      sid: session['sessionId'],
    });
  });

  it.each([
    ['GET', 'BBBB-BBBB', 'QUERY-Sah9a'],
    ['POST', 'unknown', 'COMMAND-Hief9'],
  ] as const)('%s of an unknown one is 404', async (method, id, errorId) => {
    const body = method === 'POST' ? { deny: {} } : undefined;
    expect(await managed(sandbox, `${method} /v2/oidc/device_authorization/${id}`, body)).toMatchObject({
      status: 404,
      body: { message: `Errors.DeviceAuth.NotFound (${errorId})` },
    });
  });
});
