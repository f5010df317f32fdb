import { expect, it } from '@jest/globals';
import { introspected } from '../src/bearer/introspected.js';
import { Verdicts } from '../src/bearer/verdicts.js';

const expected = {
  issuer: 'https://zitadel.example',
  clientId: 'c1',
  projectId: undefined,
  impersonation: false,
  withoutClient: true,
};
const caller = introspected(
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
if ('rejected' in caller) throw new Error(caller.rejected);
const until = Date.now() + 60_000;

it('a flood of tokens that are refused does not push out the good ones', () => {
  const verdicts = new Verdicts(10);
  verdicts.set('good', { caller, until });
  for (let count = 0; count < 11; count++) verdicts.set(`bad-${count}`, { until });
  expect(verdicts.get('good')?.caller).toBe(caller);
  expect(verdicts.get('bad-0')).toBeUndefined();
  expect(verdicts.get('bad-10')).toBeDefined();
});

it('the latest verdict counts, whatever it was before', () => {
  const verdicts = new Verdicts(10);
  verdicts.set('token', { until });
  expect(verdicts.get('token')).toEqual({ until });
  verdicts.set('token', { caller, until });
  expect(verdicts.get('token')).toMatchObject({ caller, until });
  verdicts.set('token', { until });
  expect(verdicts.get('token')).toBeUndefined();
});

it('a verdict is forgotten in time', () => {
  const verdicts = new Verdicts(10);
  verdicts.set('token', { caller, until: Date.now() - 1 });
  expect(verdicts.get('token')).toBeUndefined();
});

it('whoever calls is the same for all handlers: none can change it', () => {
  expect(caller).toMatchObject({ scopes: ['read'], roles: ['admin'], organization: { id: 'o1' } });
  for (const part of [caller, caller.scopes, caller.roles, caller.organization])
    expect(Object.isFrozen(part)).toBe(true);
});
