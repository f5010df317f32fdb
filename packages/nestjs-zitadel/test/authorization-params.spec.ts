import { describe, expect, it } from '@jest/globals';
import { authorizationParams as paramsWith } from '../src/sign-in/authorization-params.js';

const scopes = ['openid', 'profile'];
const authorizationParams = (given: Record<string, unknown>) => paramsWith(given, scopes);

describe('authorizationParams()', () => {
  it.each([
    [{ login_hint: 'alice@acme.example' }],
    [{ login_hint: 'Älice Ärcher' }],
    [{ prompt: 'none' }],
    [{ prompt: 'login' }],
    [{ prompt: 'select_account' }],
    [{ prompt: 'create' }],
    [{ prompt: 'consent' }],
    [{ ui_locales: 'de' }],
    [{ ui_locales: 'de-CH fr-CA en' }],
    [{ ui_locales: 'zh-Hant-TW' }],
    [{ max_age: '0' }],
    [{ max_age: '3600' }],
  ])('accepts %j', (given) => {
    expect(authorizationParams(given)).toEqual(given);
  });

  it.each(['0', '000'])('drops max_age=%s beside prompt=none', (maxAge) => {
    expect(authorizationParams({ prompt: 'none', max_age: maxAge })).toEqual({ prompt: 'none' });
    expect(authorizationParams({ prompt: 'none', max_age: '1' })).toEqual({ prompt: 'none', max_age: '1' });
  });

  it.each([
    ['320000000000000001', 'urn:zitadel:iam:org:id:320000000000000001'],
    ['acme.example', 'urn:zitadel:iam:org:domain:primary:acme.example'],
    ['localhost', 'urn:zitadel:iam:org:domain:primary:localhost'],
    ['umlaut--söhne-gmbh.localhost', 'urn:zitadel:iam:org:domain:primary:umlaut--söhne-gmbh.localhost'],
    ['株式会社.example', 'urn:zitadel:iam:org:domain:primary:株式会社.example'],
    ['-acme_1-.example', 'urn:zitadel:iam:org:domain:primary:-acme_1-.example'],
  ])('adds the scope of the organization %s', (organization, scope) => {
    expect(authorizationParams({ organization })).toEqual({
      scope: [...scopes, 'urn:zitadel:iam:user:resourceowner', scope].join(' '),
    });
  });

  it.each([
    [{ redirect_uri: 'https://evil.example', scope: 'x', client_id: 'y', state: 'z', nonce: 'n' }],
    [
      {
        code_challenge: 'x',
        response_type: 'token',
        response_mode: 'fragment',
        request: 'x',
        id_token_hint: 'y',
      },
    ],
    [{ csrfToken: 'x', callbackUrl: '/profile' }],
    [{ login_hint: '' }],
    [{ login_hint: 'x'.repeat(256) }],
    [{ login_hint: 'a\nb' }],
    [{ login_hint: ['a', 'b'] }],
    [{ prompt: 'none login' }],
    [{ prompt: 'constructor' }],
    [{ prompt: ['none'] }],
    [{ ui_locales: 'de,fr' }],
    [{ ui_locales: '<script>' }],
    [{ ui_locales: 'de '.repeat(20) }],
    [{ max_age: '-1' }],
    [{ max_age: '1e9' }],
    [{ max_age: 60 }],
  ] as Record<string, unknown>[][])('drops %j', (given) => {
    expect(authorizationParams(given)).toEqual({});
  });

  it.each([
    '',
    'acme.example openid',
    'acme.example\u00a0openid',
    'acme:roles',
    '*',
    'acme\n.example',
    ['320000000000000001'],
    [],
    {},
    320,
    null,
    'a'.repeat(254),
  ])('throws organization_unknown for the malformed organization %j', (organization) => {
    expect(() => authorizationParams({ organization })).toThrow(
      expect.objectContaining({ reason: 'organization_unknown' }),
    );
  });
});
