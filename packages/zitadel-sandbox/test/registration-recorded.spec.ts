import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import type { Answer } from './support/browser.js';
import { managed } from './support/management.js';
import { invitation } from './support/recorded/page-player.js';
import { exchangesOf } from './support/recorded/recording.js';
import { RelyingParty } from './support/relying-party.js';

type Json = Record<string, unknown>;

/** What a running Zitadel answered to the code exchange and at userinfo after a registration or an invitation on Login V1. */
interface Registration {
  name: string;
  token: { status: number; members: string[]; token_type: string; idToken: Json };
  userinfo: { status: number; body: Json };
}

/** The default organization has another name in the sandbox. */
const registrations = JSON.parse(
  readFileSync(new URL('recorded/registration.json', import.meta.url), 'utf8')
    .replaceAll('"ZITADEL"', '"Acme"')
    .replaceAll('zitadel.localhost', 'acme.example'),
) as Registration[];

const beta = { name: 'Beta', id: '300000000010000102', primaryDomain: 'beta.localhost' };

const folder = mkdtempSync(join(tmpdir(), 'registration-'));
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    organizations: [beta],
    web: { loginVersion: 1 },
    users: [{ loginName: 'alice', organization: 'Beta' }],
    patFile: join(folder, 'admin.pat'),
  });
});
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** The values of ids and times are the server's own. */
const comparable = (claims: Json, recorded: Json) =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => {
      const kept = recorded[name];
      return [name, typeof kept === 'string' && kept.startsWith('<') ? kept : value];
    }),
  );

const password = 'Password1!';
const scope = 'openid profile email offline_access';

/** Registers at Login V1, in Beta where the recorded person did. Returns the answer that redirects to the application. */
async function register(client: RelyingParty, { token, userinfo }: Registration): Promise<Answer> {
  const { email, given_name: firstname, family_name: lastname } = userinfo.body as Record<string, string>;
  const isLimited = 'urn:zitadel:iam:org:id' in token.idToken;
  const page = await client.login({
    prompt: 'create',
    scope: `${scope} urn:zitadel:iam:user:resourceowner${isLimited ? ` urn:zitadel:iam:org:id:${beta.id}` : ''}`,
  });
  const sent = await client.submit(page, '/ui/login/register', {
    ...{ firstname: firstname ?? '', lastname: lastname ?? '', email: email ?? '' },
    ...{ 'register-password': password, 'register-password-confirmation': password },
  });
  const code = /the code is <code>(\d{6})</.exec(sent.text)?.[1] ?? '';
  const done = await client.submit(sent, '/ui/login/user/init', { code });
  return client.submit(done, '/ui/login/login', {});
}

/** Signs in with the code of an invitation. Returns the answer that redirects to the application. */
async function accept(client: RelyingParty, { userinfo }: Registration): Promise<Answer> {
  const name = String(userinfo.body['preferred_username']);
  const { code } = await invitation(sandbox, name);
  const page = await client.login({ scope, login_hint: name });
  const fields = { code, password, passwordconfirm: password };
  const next = await client.submit(page, '/ui/login/user/invite', fields);
  return client.submit(next, '/ui/login/password', { password });
}

it.each(registrations.map((one) => [one.name, one] as const))(
  'The tokens of a new person are those of the recorded Zitadel: %s',
  async (name, one) => {
    const client = new RelyingParty(sandbox);
    const { token, userinfo } = one;
    const { location } = await (name === 'invited person' ? accept(client, one) : register(client, one));
    const answer = await client.redeem(new URL(location).searchParams.get('code') ?? '');
    expect([answer.status, Object.keys(answer.json).sort(), answer.json['token_type']]).toEqual([
      token.status,
      token.members,
      token.token_type,
    ]);
    const claims = decodeJwt(String(answer.json['id_token']));
    expect(comparable(claims, token.idToken)).toEqual(token.idToken);
    const known = await client.userinfo(String(answer.json['access_token']));
    expect([known.status, comparable(known.json, userinfo.body)]).toEqual([userinfo.status, userinfo.body]);
  },
);

it.each(exchangesOf('invitations').map((one) => [one.name, one] as const))(
  'The call is answered as by the recorded Zitadel: %s',
  async (_name, { setup, request, response }) => {
    const { id: invitedId } = await invitation(sandbox, `invited-${randomInt(1_000_000)}`);
    const id =
      setup === 'user alice' ? sandbox.users.find((one) => one.loginName === 'alice')?.id : invitedId;
    const answer = await managed(sandbox, `POST /v2/users/${id}/invite_code`, request?.json);
    const text = JSON.stringify(answer.body)
      .replace(/"sequence":"\d+"/, '"sequence":"<number>"')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, '<time>')
      .replace(/"inviteCode":"\w{6}"/, '"inviteCode":"<6 chars>"');
    const recorded = JSON.stringify(response?.body).replace(/"sequence":"\d+"/, '"sequence":"<number>"');
    expect([answer.status, JSON.parse(text)]).toEqual([response?.status, JSON.parse(recorded)]);
  },
);
