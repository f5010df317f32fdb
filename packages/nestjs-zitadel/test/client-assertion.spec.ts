import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { ApiKey } from '../src/tokens/api-key.js';
import { ClientAssertion } from '../src/tokens/client-assertion.js';
import { moveTime } from '../../../test/support/move-time.js';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key: ApiKey = { clientId: 'c1', keyId: 'k1', privateKey, appId: undefined };

describe('a client assertion', () => {
  it('is reused for a minute', async () => {
    const assertion = new ClientAssertion(key, 'https://a.example');
    const first = await assertion.get();
    moveTime(59_000);
    expect(await assertion.get()).toBe(first);
    moveTime(2_000);
    expect(await assertion.get()).not.toBe(first);
  });

  it('is created anew when the clock was set back, because it would lie in the future', async () => {
    const assertion = new ClientAssertion(key, 'https://a.example');
    const first = await assertion.get();
    moveTime(-3_600_000);
    expect(await assertion.get()).not.toBe(first);
  });

  it('is not kept when signing failed', async () => {
    const keys = { ...key, privateKey: createSecretKey(Buffer.from('no key to sign with')) };
    const assertion = new ClientAssertion(keys, 'https://a.example');
    await expect(assertion.get()).rejects.toThrow();
    keys.privateKey = privateKey;
    expect(await assertion.get()).toMatch(/^eyJ/);
  });

  it('is replaced after it was refused, and a later one is kept', async () => {
    const assertion = new ClientAssertion(key, 'https://a.example');
    const first = assertion.get();
    assertion.invalidate(first);
    const second = assertion.get();
    expect(await second).not.toBe(await first);
    assertion.invalidate(first);
    expect(assertion.get()).toBe(second);
  });
});
