import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { JWK } from 'jose';
import { KeyNotLookedFor, KeySet } from '../src/tokens/key-set.js';
import { signerWith, type Signer } from './signed-by.js';

const times = <T>(count: number, make: () => T) => Array.from({ length: count }, make);

let first: Signer;
let second: Signer;
let stranger: Signer;
beforeAll(async () => {
  first = await signerWith('ES256', 'first');
  second = await signerWith('ES256', 'second');
  stranger = await signerWith('ES256', 'stranger');
});

let published: JWK[];
let fetches: number;
let isDown: boolean;
let failures: unknown[];
let keys: KeySet;
let clock: jest.SpiedFunction<typeof Date.now>;
beforeEach(() => {
  published = [first.jwk];
  fetches = 0;
  isDown = false;
  failures = [];
  keys = new KeySet(
    async () => {
      fetches++;
      await Promise.resolve();
      if (isDown) throw new Error('down');
      return { keys: published };
    },
    (error) => failures.push(error),
  );
  clock = jest.spyOn(Date, 'now');
});
afterEach(() => clock.mockRestore());

const later = (ms: number) => {
  const at = Date.now() + ms;
  clock.mockReturnValue(at);
};
const verify = async (signer: Signer, asker: 'sign-in' | 'logout' = 'sign-in') =>
  keys.verify(await signer.sign({}), { algorithms: ['ES256'] }, asker);

describe('the keys of the provider', () => {
  it('are fetched at first need, once for all who ask', async () => {
    await Promise.all(times(20, () => verify(first)));
    expect(fetches).toBe(1);
  });

  it('are fetched again for a token with a new kid, just after they were fetched and for many at a time', async () => {
    await verify(first);
    published = [second.jwk];
    await Promise.all(times(20, () => verify(second)));
    expect(fetches).toBe(2);
    published = [stranger.jwk];
    await verify(stranger);
    expect(fetches).toBe(3);
  });

  it('are not fetched for each of a hundred tokens with a kid nobody knows', async () => {
    for (let count = 0; count < 50; count++) await expect(verify(stranger)).rejects.toThrow();
    await Promise.all(times(50, () => expect(verify(stranger)).rejects.toThrow()));
    expect(fetches).toBe(2);
    later(31_000);
    published = [stranger.jwk];
    await expect(verify(stranger)).resolves.toBeDefined();
  });

  it('are still fetched for a sign-in when somebody posts bad logout tokens', async () => {
    for (let count = 0; count < 5; count++) await expect(verify(stranger, 'logout')).rejects.toThrow();
    expect(fetches).toBe(2);
    published = [second.jwk];
    await expect(verify(second)).resolves.toBeDefined();
  });

  it('are renewed after a while, and the old ones stay while that fails', async () => {
    await verify(first);
    later(6 * 60_000);
    isDown = true;
    await verify(first);
    await new Promise(setImmediate);
    await verify(first);
    expect([fetches, failures.length]).toEqual([2, 1]);
    isDown = false;
    later(3_000);
    await verify(first);
    await verify(first);
    expect([fetches, failures.length]).toEqual([3, 1]);
  });

  it('that cannot be had are asked for again at the next need', async () => {
    isDown = true;
    await expect(verify(first)).rejects.toThrow('down');
    isDown = false;
    await expect(verify(first)).resolves.toBeDefined();
  });

  it('say that they cannot be had rather than that the token is bad, and recover soon', async () => {
    await verify(first);
    published = [second.jwk];
    isDown = true;
    await expect(verify(second)).rejects.toThrow('down');
    isDown = false;
    later(2_100);
    await expect(verify(second)).resolves.toBeDefined();
  });

  it('cannot be told to be unknown while nobody asks for them', async () => {
    await expect(verify(stranger, 'logout')).rejects.not.toThrow(KeyNotLookedFor);
    published = [second.jwk];
    await expect(verify(second, 'logout')).rejects.toThrow(KeyNotLookedFor);
    await expect(verify(await signerWith('ES256', 'first'), 'logout')).rejects.not.toThrow(KeyNotLookedFor);
    later(31_000);
    await expect(verify(second, 'logout')).resolves.toBeDefined();
  });

  it('that could not be fetched a moment ago are still that, and not unknown', async () => {
    await verify(first);
    published = [second.jwk];
    isDown = true;
    await expect(verify(second)).rejects.toThrow('down');
    await expect(verify(second)).rejects.toThrow('down');
    expect(fetches).toBe(2);
  });

  it('are good for a day at most without being renewed', async () => {
    await verify(first);
    isDown = true;
    later(23 * 60 * 60_000);
    await expect(verify(first)).resolves.toBeDefined();
    await new Promise(setImmediate);
    later(61 * 60_000);
    await expect(verify(first)).rejects.toThrow('down');
  });

  it('without names are all tried', async () => {
    const nameless = await Promise.all(times(3, () => signerWith('ES256')));
    published = nameless.map(({ jwk }) => jwk);
    for (const signer of nameless) await expect(verify(signer)).resolves.toBeDefined();
    await expect(verify(await signerWith('ES256'))).rejects.toThrow();
    const wrong = nameless[1]!.sign({ exp: 1 });
    await expect(keys.verify(await wrong, { algorithms: ['ES256'] }, 'sign-in')).rejects.toThrow('exp');
  });

  it('without a name are fetched again when the only one does not fit', async () => {
    const [old, fresh] = await Promise.all([signerWith('ES256'), signerWith('ES256')]);
    published = [old.jwk];
    await verify(old);
    published = [fresh.jwk];
    await expect(verify(fresh)).resolves.toBeDefined();
    expect(fetches).toBe(2);
  });

  it('that are known are not fetched again for a signature that is wrong', async () => {
    await verify(first);
    await expect(verify(await signerWith('ES256', 'first'))).rejects.toThrow();
    expect(fetches).toBe(1);
  });
});
