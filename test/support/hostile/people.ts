/** A user of the hostile provider. */
export interface Person {
  sub: string;
  name: string;
  email: string;
  roles: string[];
}

/** The users by their `login_hint`. Alice and Mallory have the same e-mail address. */
export const people = {
  alice: { sub: '310000000000000001', name: 'Alice Archer', email: 'alice@acme.example', roles: ['admin'] },
  bob: { sub: '310000000000000002', name: 'Bob Baker', email: 'bob@acme.example', roles: [] },
  mallory: { sub: '310000000000000666', name: 'Mallory Moor', email: 'alice@acme.example', roles: [] },
} satisfies Record<string, Person>;

const ORGANIZATION = '300000000000000001';

/** The userinfo response of Zitadel. */
export function userinfoOf({ sub, name, email, roles }: Person) {
  const [givenName = '', familyName = ''] = name.split(' ');
  const grants = Object.fromEntries(roles.map((role) => [role, { [ORGANIZATION]: 'acme.example' }]));
  return {
    sub,
    name,
    given_name: givenName,
    family_name: familyName,
    preferred_username: `${givenName.toLowerCase()}@acme.example`,
    locale: 'en',
    updated_at: 1_760_000_000,
    email,
    email_verified: true,
    ...(roles.length > 0 ? { 'urn:zitadel:iam:org:project:roles': grants } : {}),
    'urn:zitadel:iam:user:resourceowner:id': ORGANIZATION,
    'urn:zitadel:iam:user:resourceowner:name': 'Acme',
    'urn:zitadel:iam:user:resourceowner:primary_domain': 'acme.example',
  };
}
