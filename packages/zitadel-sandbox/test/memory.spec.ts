import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { BoundedMap } from '../src/storage/bounded-map.js';
import { MemoryStore } from '../src/storage/memory.adapter.js';

const now = Math.floor(Date.now() / 1000);

afterEach(() => {
  jest.restoreAllMocks();
});

describe('The memory adapter', () => {
  it('purges expired entries at the thousandth insert and keeps the others', async () => {
    const store = new MemoryStore();
    const tokens = store.adapterFor('AccessToken');
    for (let count = 1; count < 1000; count++) await tokens.upsert(`old ${count}`, { exp: now - 1 }, 1);
    expect(store.sizeOf('AccessToken')).toBe(999);
    await tokens.upsert('living', { exp: now + 60 }, 60);
    expect(store.sizeOf('AccessToken')).toBe(1);
    expect(await tokens.find('living')).toEqual({ exp: now + 60 });
  });

  it('does not scan all entries on every insert', async () => {
    const tokens = new MemoryStore().adapterFor('AccessToken');
    for (let count = 0; count < 6000; count++) await tokens.upsert(`${count}`, { exp: now + 60 }, 60);
    const clock = jest.spyOn(Date, 'now');
    for (let count = 0; count < 900; count++) await tokens.upsert(`more ${count}`, { exp: now + 60 }, 60);
    expect(clock).not.toHaveBeenCalled();
  });

  it('deletes exactly the tokens of a revoked grant', async () => {
    const tokens = new MemoryStore().adapterFor('AccessToken');
    await tokens.upsert('a1', { grantId: 'a' }, 60);
    await tokens.upsert('a2', { grantId: 'a' }, 60);
    await tokens.upsert('moved', { grantId: 'a' }, 60);
    await tokens.upsert('moved', { grantId: 'b' }, 60);
    await tokens.revokeByGrantId('a');
    const found = await Promise.all(['a1', 'a2', 'moved'].map((id) => tokens.find(id)));
    expect(found).toEqual([undefined, undefined, { grantId: 'b' }]);
  });

  it('deletes exactly the tokens of an ended browser session', async () => {
    const store = new MemoryStore();
    const tokens = store.adapterFor('AccessToken');
    await tokens.upsert('one', { sid: '1' }, 60);
    await tokens.upsert('two', { sid: '2' }, 60);
    store.removeBySid('AccessToken', '1');
    expect([await tokens.find('one'), await tokens.find('two')]).toEqual([undefined, { sid: '2' }]);
  });
});

it('A bounded map evicts the entry that was set longest ago', () => {
  const map = new BoundedMap<string, number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 3);
  map.set('c', 4);
  expect(['a', 'b', 'c'].map((key) => map.get(key))).toEqual([3, undefined, 4]);
});
