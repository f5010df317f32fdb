import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { isPlainRemote } from '../src/http/is-plain-remote.js';
import { checkedMetadata } from '../src/client/checked-metadata.js';
import { codeRefusal } from '../src/client/token-endpoint.js';
import { StaleWhileRevalidate } from '../src/http/stale-while-revalidate.js';
import { moveTime } from '../../../test/support/move-time.js';

const issuer = 'https://zitadel.example';
const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/oauth/v2/authorize`,
  token_endpoint: `${issuer}/oauth/v2/token`,
  userinfo_endpoint: `${issuer}/oidc/v1/userinfo`,
  end_session_endpoint: `${issuer}/oidc/v1/end_session`,
  revocation_endpoint: `${issuer}/oauth/v2/revoke`,
  jwks_uri: `${issuer}/oauth/v2/keys`,
};
const check = (change: Record<string, unknown>, allowInsecureHttp = false) =>
  checkedMetadata({ ...metadata, ...change }, { issuer, allowInsecureHttp });

describe('metadata', () => {
  it.each([
    ['that are complete', {}],
    ['without userinfo_endpoint', { userinfo_endpoint: undefined }],
    ['without introspection_endpoint', { introspection_endpoint: undefined }],
    ['without end_session_endpoint', { end_session_endpoint: undefined }],
    ['without revocation_endpoint', { revocation_endpoint: undefined }],
    ['with an endpoint on another host', { jwks_uri: 'https://keys.example/x' }],
    ['with an endpoint on this machine', { token_endpoint: 'http://localhost:8080/token' }],
  ])('%s are accepted', (_name, change) => {
    expect(check(change)).toMatchObject({ issuer });
  });

  it.each([
    ['of another issuer', { issuer: `${issuer}INVALID` }],
    ['of the issuer with a trailing slash', { issuer: `${issuer}/` }],
    ['without an issuer', { issuer: undefined }],
    ['without authorization_endpoint', { authorization_endpoint: undefined }],
    ['without token_endpoint', { token_endpoint: undefined }],
    ['without jwks_uri', { jwks_uri: undefined }],
    ['with an endpoint that is null', { userinfo_endpoint: null }],
    ['with an endpoint that is not a URL', { token_endpoint: '/token' }],
    ['with an endpoint that is a javascript: URL', { authorization_endpoint: 'javascript:alert(1)' }],
    ['with an introspection_endpoint that is not a URL', { introspection_endpoint: '/oauth/v2/introspect' }],
    [
      'with an introspection_endpoint over http',
      { introspection_endpoint: 'http://zitadel.example/introspect' },
    ],
    ['with an endpoint over http', { token_endpoint: 'http://zitadel.example/token' }],
    ['with an end_session_endpoint over http', { end_session_endpoint: 'http://zitadel.example/end' }],
  ])('%s are refused', (_name, change) => {
    expect(() => check(change)).toThrow();
  });

  it('of another issuer are refused with both issuers in the error', () => {
    expect(() => check({ issuer: 'https://other.example' })).toThrow(
      'The metadata have the issuer "https://other.example", and the configured issuer is https://zitadel.example',
    );
  });

  it('with endpoints over http are accepted with allowInsecureHttp', () => {
    expect(check({ token_endpoint: 'http://zitadel.test/token' }, true)).toBeDefined();
    expect(() => check({ token_endpoint: 'ftp://zitadel.test/token' }, true)).toThrow();
  });

  it.each([[null], [undefined], ['x'], [[]]])('are refused when the document is %j', (document) => {
    expect(() => checkedMetadata(document, { issuer, allowInsecureHttp: false })).toThrow();
  });
});

describe('isPlainRemote()', () => {
  it.each([
    'http://zitadel.example',
    'http://192.168.0.1',
    'http://localhost.example',
    'http://127.0.0.1.example',
  ])('is true for %s', (address) => expect(isPlainRemote(new URL(address))).toBe(true));
  it.each([
    'https://zitadel.example',
    'http://localhost:1',
    'http://127.0.0.2',
    'http://[::1]',
    'http://a.localhost',
  ])('is false for %s', (address) => expect(isPlainRemote(new URL(address))).toBe(false));
});

describe('codeRefusal()', () => {
  it.each([
    [200, {}, undefined],
    [302, undefined, undefined],
    [400, { error: 'invalid_client' }, 'provider_misconfigured'],
    [401, undefined, 'provider_misconfigured'],
    [400, { error: 'unauthorized_client' }, 'provider_misconfigured'],
    [400, { error: 'invalid_request', error_description: 'Errors.AuthRequest.NoCode' }, 'login_already_used'],
    [400, { error: 'invalid_request', error_description: 'Errors.User.Code.Invalid' }, 'login_already_used'],
    [400, { error: 'invalid_grant' }, 'login_already_used'],
    [400, { error: 'invalid_request', error_description: 'Errors.User.NotActive' }, 'access_denied'],
    [400, { error: 'invalid_request', error_description: 'Errors.User.Locked' }, 'user_locked'],
    [404, { error: 'invalid_request', error_description: 'Errors.User.NotFound' }, 'user_not_found'],
    [
      404,
      { error: 'invalid_request', error_description: 'Errors.AuthRequest.NotFound' },
      'login_already_used',
    ],
    [400, { error: 'invalid_grant', error_description: 'invalid code_verifier' }, 'provider_error'],
    [
      400,
      { error: 'invalid_grant', error_description: 'redirect_uri does not correspond' },
      'provider_error',
    ],
    [400, { error: 'invalid_request', error_description: ['Errors.'] }, 'provider_error'],
    [400, null, 'provider_error'],
  ] as const)('maps %i %j to %s', (status, body, reason) => {
    expect(codeRefusal(status, body)).toBe(reason);
  });
});

describe('StaleWhileRevalidate', () => {
  const renewed = async (kept: StaleWhileRevalidate<unknown>) => {
    while (kept.isRevalidating) await pause(1);
  };
  const counted = (lifetimeMs: number, isDown: () => boolean, maxStaleMs = 100_000) => {
    const failures: unknown[] = [];
    let count = 0;
    const kept = new StaleWhileRevalidate(
      async () => {
        const number = ++count;
        await pause(5);
        if (isDown()) throw new Error(`down ${number}`);
        return number;
      },
      { maxAgeMs: lifetimeMs, retryAfterMs: 3_000, maxStaleMs, onError: (error) => failures.push(error) },
    );
    return { kept, failures };
  };

  it('fetches the value once, at the first get()', async () => {
    const { kept } = counted(2_000, () => false);
    expect(await Promise.all([kept.get(), kept.get(), kept.get()])).toEqual([1, 1, 1]);
    expect(await kept.get()).toBe(1);
  });

  it('revalidates the value in the background', async () => {
    const { kept } = counted(2_000, () => false);
    await kept.get();
    moveTime(2_500);
    expect(await Promise.all([kept.get(), kept.get()])).toEqual([1, 1]);
    await renewed(kept);
    expect(await kept.get()).toBe(2);
  });

  it('keeps the value when revalidation fails, and waits before it tries again', async () => {
    let isDown = false;
    const { kept, failures } = counted(2_000, () => isDown);
    await kept.get();
    isDown = true;
    moveTime(2_500);
    for (let round = 0; round < 5; round++) {
      expect(await kept.get()).toBe(1);
      await renewed(kept);
    }
    expect(failures).toHaveLength(1);
    isDown = false;
    moveTime(3_500);
    await kept.get();
    await renewed(kept);
    expect(await kept.get()).toBe(3);
  });

  it('makes get() wait for a new value beyond maxStaleMs', async () => {
    let isDown = false;
    const { kept } = counted(2_000, () => isDown, 6_000);
    await kept.get();
    isDown = true;
    moveTime(6_500);
    await expect(kept.get()).rejects.toThrow('down 2');
    isDown = false;
    expect(await Promise.all([kept.get(), kept.get()])).toEqual([3, 3]);
  });

  it('fetches again after a first attempt that failed', async () => {
    let isDown = true;
    const { kept } = counted(2_000, () => isDown);
    await expect(kept.get()).rejects.toThrow('down 1');
    isDown = false;
    expect(await kept.get()).toBe(2);
  });
});
