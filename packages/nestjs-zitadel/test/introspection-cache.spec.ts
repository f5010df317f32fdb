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

it('a flood of tokens that are refused does not push out the good ones', () => {
  const cache = new IntrospectionCache(10);
  cache.set('good', { caller, expiresAt });
  for (let count = 0; count < 11; count++) cache.set(`bad-${count}`, { expiresAt });
  expect(cache.get('good')?.caller).toBe(caller);
  expect(cache.get('bad-0')).toBeUndefined();
  expect(cache.get('bad-10')).toBeDefined();
});

it('the latest result replaces the one before', () => {
  const cache = new IntrospectionCache(10);
  cache.set('token', { expiresAt });
  expect(cache.get('token')).toEqual({ expiresAt });
  cache.set('token', { caller, expiresAt });
  expect(cache.get('token')).toMatchObject({ caller, expiresAt });
  cache.set('token', { expiresAt });
  expect(cache.get('token')).toBeUndefined();
});

it('a result expires', () => {
  const cache = new IntrospectionCache(10);
  cache.set('token', { caller, expiresAt: Date.now() - 1 });
  expect(cache.get('token')).toBeUndefined();
});

it('whoever calls is the same for all handlers: none can change it', () => {
  expect(caller).toMatchObject({ scopes: ['read'], roles: ['admin'], organization: { id: 'o1' } });
  for (const part of [caller, caller.scopes, caller.roles, caller.organization])
    expect(Object.isFrozen(part)).toBe(true);
});
