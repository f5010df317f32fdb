import { describe, expect, it } from '@jest/globals';
import { userFrom } from '../src/claims/claims.js';
import { actingIn, actingUser, switched, withActiveOrganization } from '../src/organizations/acting.js';
import { choicesOf, choicesWith } from '../src/organizations/choices.js';

const alpha = { id: 'a', domain: 'alpha.example' };
const beta = { id: 'b', domain: 'beta.example' };
const inBoth = [
  { role: 'admin', organizations: [alpha] },
  { role: 'editor', organizations: [alpha, beta] },
];

describe('the active organization', () => {
  it.each([
    ['the one asked for', inBoth, 'a', 'b', 'b'],
    ['the home organization where none is asked for', inBoth, 'b', undefined, 'b'],
    ['none where the one asked for grants no role', inBoth, 'b', 'c', undefined],
    ['none where several grant roles', inBoth, 'c', undefined, undefined],
    ['the only one', [{ role: 'admin', organizations: [alpha] }], 'c', undefined, 'a'],
    [
      'none where the only one is not the one asked for',
      [{ role: 'admin', organizations: [alpha] }],
      'c',
      'c',
      undefined,
    ],
    ['none without roles', [], 'a', 'a', undefined],
    [
      'none for a role that no organization grants',
      [{ role: 'admin', organizations: [] }],
      'a',
      'a',
      undefined,
    ],
  ])('is %s', (_what, grants, home, asked, active) => {
    expect(actingIn(grants, { id: home }, asked).activeOrganization?.id).toBe(active);
  });

  it('has its roles alone, and of all organizations only the home organization has a name', () => {
    expect(actingIn(inBoth, { id: 'b', name: 'Beta' })).toEqual({
      organizations: [alpha, { ...beta, name: 'Beta' }],
      activeOrganization: { ...beta, name: 'Beta' },
      roles: ['editor'],
      allRoles: ['admin', 'editor'],
    });
  });
});

describe('a session', () => {
  const roles = { admin: { a: 'alpha.example' }, editor: { b: 'beta.example' } };
  const user = userFrom({ sub: 'u1', 'urn:zitadel:iam:org:project:roles': roles });
  const token = { sub: 'u1', user, organizationId: 'a' };

  it('changes to an organization with a role, and to nothing else', () => {
    expect(switched(token, { organization: 'b' })).toEqual({ ...token, organizationId: 'b' });
    for (const data of [
      { organization: 'c' },
      { organization: { id: 'b' } },
      { organization: '__proto__' },
      'b',
    ])
      expect(switched(token, data)).toBe(token);
    expect(switched(token, undefined)).toBe(token);
    expect(switched({ sub: 'u1' }, { organization: 'b' })).toEqual({ sub: 'u1' });
  });

  it('keeps an organization without roles, so that no other becomes active', () => {
    const kept = withActiveOrganization({ ...token, organizationId: 'c' }, 'active');
    expect(kept.organizationId).toBe('c');
    expect(actingUser(user, 'c')).toMatchObject({ activeOrganization: undefined, roles: [] });
  });

  it('is the same object where roles of all organizations count, or without a user', () => {
    expect(withActiveOrganization(token, 'any')).toBe(token);
    const anonymous = { sub: 'u1' };
    expect(withActiveOrganization(anonymous, 'active')).toBe(anonymous);
  });
});

it('A choice has the name, else the domain, else the id of an organization', () => {
  const organizations = [{ ...alpha, name: 'Alpha' }, beta, { id: 'c' }];
  expect(choicesOf(organizations, beta)).toEqual([
    { id: 'a', label: 'Alpha', isActive: false },
    { id: 'b', label: 'beta.example', isActive: true },
    { id: 'c', label: 'c', isActive: false },
  ]);
  const user = { ...userFrom({ sub: 'u1' }), roleGrants: inBoth };
  expect(choicesWith({ ...user, organizations }, ['admin'])).toEqual([
    { id: 'a', label: 'Alpha', isActive: false },
  ]);
  expect(choicesWith(user, ['admin'])).toEqual([]);
});
