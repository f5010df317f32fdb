import { expect, it } from '@jest/globals';
import { callerIn } from '../src/bearer/introspection-answer.js';
import { IntrospectionCache } from '../src/bearer/introspection-cache.js';

const expected = {
  issuer: 'https://zitadel.example',
  clientId: 'c1',
  projectId: undefined,
  impersonation: false,
  withoutClient: true,
};
const caller = callerIn(
  {
    active: true,
    sub: 'u1',
    aud: 'c1',
    scope: 'read',
    'urn:zitadel:iam:org:project:roles': { admin: { o1: 'acme.example' } },
    'urn:zitadel:iam:user:resourceowner:id': 'o1',
  },
  expected,
);
if ('refused' in caller) throw new Error(caller.refused);
const expiresAt = Date.now() + 60_000;

it('many inactive tokens do not evict active ones from the introspection cache', () => {
  const cache = new IntrospectionCache(10);
  cache.set('good', { caller, expiresAt });
  for (let count = 0; count < 11; count++) cache.set(`bad-${count}`, { expiresAt });
  expect(cache.get('good')?.caller).toBe(caller);
  expect(cache.get('bad-0')).toBeUndefined();
  expect(cache.get('bad-10')).toBeDefined();
});

it('a new result replaces the old one in the introspection cache', () => {
  const cache = new IntrospectionCache(10);
  cache.set('token', { expiresAt });
  expect(cache.get('token')).toEqual({ expiresAt });
  cache.set('token', { caller, expiresAt });
  expect(cache.get('token')).toMatchObject({ caller, expiresAt });
  cache.set('token', { expiresAt });
  expect(cache.get('token')).toBeUndefined();
});

it('a result expires in the introspection cache', () => {
  const cache = new IntrospectionCache(10);
  cache.set('token', { caller, expiresAt: Date.now() - 1 });
  expect(cache.get('token')).toBeUndefined();
});

it('a caller is frozen, so that no handler can change it for others', () => {
  expect(caller).toMatchObject({ scopes: ['read'], roles: ['admin'], organization: { id: 'o1' } });
  for (const part of [caller, caller.scopes, caller.roles, caller.organization])
    expect(Object.isFrozen(part)).toBe(true);
});
