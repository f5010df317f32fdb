import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from '../src/index.js';
import { managed } from './support/management.js';
import { RelyingParty } from './support/relying-party.js';

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
