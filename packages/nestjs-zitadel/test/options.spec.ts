import { describe, expect, it } from '@jest/globals';
import { resolveOptions, type ZitadelOptions } from '../src/zitadel.options.js';

const good: ZitadelOptions = {
  issuer: 'https://zitadel.example',
  clientId: '320000000000000101',
  redirectUri: 'https://app.example/auth/callback',
  secret: 'a-secret-of-at-least-thirty-two-characters',
};

describe('resolveOptions()', () => {
  it('derives every address from mountPath', () => {
    const redirectUri = 'https://app.example/base/auth/callback';
    expect(resolveOptions({ ...good, redirectUri, mountPath: '/base' })).toMatchObject({
      origin: 'https://app.example',
      postLogoutRedirectUri: 'https://app.example/base/auth/logout/callback',
      postLoginPath: '/base',
      signOutPages: { done: '/base', failed: '/base' },
    });
    expect(resolveOptions(good)).toMatchObject({
      postLogoutRedirectUri: 'https://app.example/auth/logout/callback',
      postLoginPath: '/',
    });
  });

  it.each<[string, Partial<ZitadelOptions>]>([
    ['issuer', { issuer: 'zitadel.example' }],
    ['issuer', { issuer: 'http://zitadel.example' }],
    ['clientId', { clientId: '' }],
    ['scopes', { scopes: ['profile'] }],
    ['scopes', { scopes: ['openid', 'a b'] }],
    ['redirectUri', { redirectUri: '/auth/callback' }],
    ['redirectUri', { mountPath: '/base' }],
    ['redirectUri', { mountPath: '/auth/callback' }],
    ['postLogoutRedirectUri', { postLogoutRedirectUri: 'https://other.example/auth/logout/callback' }],
    [
      'postLogoutRedirectUri',
      {
        mountPath: '/base',
        redirectUri: 'https://app.example/base/auth/callback',
        postLogoutRedirectUri: 'https://app.example/auth/logout/callback',
      },
    ],
    ['mountPath', { mountPath: 'base' }],
    ['mountPath', { mountPath: '/base/' }],
    ['mountPath', { mountPath: '/' }],
    ['mountPath', { mountPath: '//other.example' }],
    ['mountPath', { mountPath: '/base/../admin' }],
    ['redisUrl', { redisUrl: 'redis.example:6379' }],
    ['redisUrl', { redisUrl: 'redis://redis:6379/abc' }],
    ['authenticate', { authenticate: [] }],
    ['authenticate', { authenticate: ['session', 'cookie' as 'bearer'] }],
    ['eventsKey', { eventsKey: 'short' }],
    ['eventsKey', { eventsKey: ['a-key-of-at-least-thirty-two-characters', ''] }],
    ['secret', { secret: [] }],
    ['secret', { secret: ['a-secret-of-at-least-thirty-two-characters', 'short'] }],
  ])('names the invalid option %s: %j', (option, wrong) => {
    expect(() => resolveOptions({ ...good, ...wrong })).toThrow(
      expect.objectContaining({ name: 'TypeError', message: expect.stringMatching(`^${option}: expected`) }),
    );
  });
});
