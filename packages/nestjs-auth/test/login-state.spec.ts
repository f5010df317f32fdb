import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { isPrefetch } from '../src/index.js';
import { LoginStates } from '../src/transaction/login-state.js';

const secrets: [string, string] = [
  'the first secret, which is long enough',
  'the second secret, which is long enough',
];
const states = new LoginStates(secrets);
const made = { browser: 'AAAAAAAAAAA', attempt: 0 };

describe('the state of a sign-in', () => {
  it('is verified with its content and the time of its issue', () => {
    jest.spyOn(Date, 'now').mockReturnValueOnce(1_700_000_000_500);
    const { state, id } = states.issue({ ...made, attempt: 1 });
    expect(states.verify(state)).toEqual({ id, issuedAt: 1_700_000_000, browser: made.browser, attempt: 1 });
  });

  it('is unique and has 128 random bits', () => {
    const all = Array.from({ length: 1_000 }, () => states.issue(made).state);
    expect(new Set(all.map((state) => state.split('.')[1])).size).toBe(1_000);
    expect(Buffer.from(all[0]?.split('.')[1] ?? '', 'base64url')).toHaveLength(16);
  });

  it('is verified with every secret and issued with the first', () => {
    const [first, second] = secrets;
    expect(new LoginStates([second]).verify(states.issue(made).state)).toBeNull();
    expect(new LoginStates([first]).verify(states.issue(made).state)).toMatchObject(made);
    expect(states.verify(new LoginStates([second]).issue(made).state)).toMatchObject(made);
  });

  it('is refused when any character differs', () => {
    const { state } = states.issue(made);
    fc.assert(
      fc.property(fc.nat(state.length - 1), fc.constantFrom(...'AZaz09-_.%'), (at, letter) => {
        const other = state.slice(0, at) + letter + state.slice(at + 1);
        const bytes = (text: string) =>
          text.split('.').map((part) => Buffer.from(part, 'base64url').toString('hex'));
        // The last letter of base64url may stand for the same bytes.
        fc.pre(bytes(other).join() !== bytes(state).join());
        return states.verify(other) === null;
      }),
    );
  });

  it('is refused when it is arbitrary text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => states.verify(text) === null));
  });
});

describe('isPrefetch()', () => {
  it.each([
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
    { 'x-moz': 'prefetch' },
    { 'x-purpose': 'preview' },
  ])('is true for the headers %j', (headers) => expect(isPrefetch(headers)).toBe(true));

  it('is false for an ordinary request', () => expect(isPrefetch({ accept: 'text/html' })).toBe(false));
});
