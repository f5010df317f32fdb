import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { startSandbox, type Sandbox } from '../src/index.js';
import { RelyingParty } from './support/relying-party.js';

type Json = Record<string, unknown>;

/** What a running Zitadel answered to the code exchange and at userinfo after a registration on Login V1. */
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

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({
    organizations: [beta],
    web: { loginVersion: 1 },
  });
});
afterAll(() => sandbox.close());

/** The values of ids and times are the server's own. */
const comparable = (claims: Json, recorded: Json) =>
  Object.fromEntries(
    Object.entries(claims).map(([name, value]) => {
      const kept = recorded[name];
      return [name, typeof kept === 'string' && kept.startsWith('<') ? kept : value];
    }),
  );

it.each(registrations.map((one) => [one.name, one] as const))(
  'A registration is answered as by the recorded Zitadel: %s',
  async (_name, { token, userinfo }) => {
    const client = new RelyingParty(sandbox);
    const { email, given_name: firstname, family_name: lastname } = userinfo.body as Record<string, string>;
    const isLimited = 'urn:zitadel:iam:org:id' in token.idToken;
    const page = await client.login({
      prompt: 'create',
      scope: `openid profile email offline_access urn:zitadel:iam:user:resourceowner${
        isLimited ? ` urn:zitadel:iam:org:id:${beta.id}` : ''
      }`,
    });
    const password = 'Password1!';
    const sent = await client.submit(page, '/ui/login/register', {
      ...{ firstname: firstname ?? '', lastname: lastname ?? '', email: email ?? '' },
      ...{ 'register-password': password, 'register-password-confirmation': password },
    });
    const code = /the code is <code>(\d{6})</.exec(sent.text)?.[1] ?? '';
    const done = await client.submit(sent, '/ui/login/user/init', { code });
    const { location } = await client.submit(done, '/ui/login/login', {});
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
