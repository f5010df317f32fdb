import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { RequestedReloads } from '../src/session/requested-reloads.js';
import { SharedState } from '../src/state/shared-state.js';
import { resolveOptions } from '../src/zitadel.options.js';

const options = resolveOptions({
  issuer: 'https://zitadel.example',
  clientId: '320000000000000101',
  redirectUri: 'https://app.example/auth/callback',
  secret: 'a-secret-of-at-least-thirty-two-characters',
});
const START = 1_800_000_000;

let reloads: RequestedReloads;
let now: number;
beforeEach(() => {
  now = START;
  jest.spyOn(Date, 'now').mockImplementation(() => now * 1000);
  reloads = new RequestedReloads(new SharedState(), options);
});
afterEach(() => void jest.restoreAllMocks());

const session = (number: number) => ({ sub: `user ${number % 50}`, jti: `session ${number}` });
const sessions = Array.from({ length: 1_000 }, (_, number) => session(number));

/** How many sessions are due whose users were read at `readAt`. */
const due = (readAt: number) => sessions.filter((one) => reloads.isDue(one, readAt)).length;

describe('a reload of one user', () => {
  it('is due at once for every session of that user, and for no other', async () => {
    expect(due(START - 60)).toBe(0);
    await reloads.requestFor('user 7');
    expect(due(START - 60)).toBe(20);
    expect(reloads.isDue({ jti: 'a session without a user' }, START - 60)).toBe(false);
  });

  it('is due again after a response of the first second, in which Zitadel may answer with former roles', async () => {
    await reloads.requestFor('user 7');
    expect(due(START + 0.9)).toBe(20);
    expect(due(START + 1)).toBe(0);
  });

  it('replaces a request for claims that was sent before, and none after', async () => {
    await reloads.requestFor('user 7');
    expect(reloads.isSince(session(7), START - 1)).toBe(true);
    expect(reloads.isSince(session(7), START)).toBe(false);
    expect(reloads.isSince(session(8), START - 1)).toBe(false);
    now = START - 1;
    expect(reloads.isSince(session(7), START - 2)).toBe(false);
  });

  it('is not forgotten before each session has been read again because of its age', async () => {
    await reloads.requestFor('user 7');
    now += options.session.claimsMaxAgeSeconds;
    expect(due(START - 60)).toBe(20);
  });
});

describe('a reload for a project', () => {
  const withAudience = (aud: unknown) => ({
    ...session(7),
    idToken: `e30.${Buffer.from(JSON.stringify({ aud })).toString('base64url')}.x`,
  });

  it.each([
    ['one user', () => reloads.requestFor('user 7', 'project')],
    ['all users', () => reloads.requestForAll('project')],
  ])('is due for sessions with tokens for that project, of %s', async (_whose, request) => {
    await request();
    now = START + 10;
    for (const aud of ['project', ['client', 'project']])
      expect(reloads.isDue(withAudience(aud), START - 60)).toBe(true);
    for (const aud of [undefined, 'other', ['client', 'projec']])
      expect(reloads.isDue(withAudience(aud), START - 60)).toBe(false);
    expect(reloads.isDue(session(7), START - 60)).toBe(false);
  });
});

describe('a reload of all users', () => {
  it('is spread evenly over ten seconds', async () => {
    await reloads.requestForAll();
    expect(due(START - 60)).toBe(0);
    for (const second of [2, 3, 4, 5, 6, 7, 8, 9]) {
      now = START + second;
      const share = (second - 1) / 9;
      expect(Math.abs(due(START - 60) / 1_000 - share)).toBeLessThan(0.06);
    }
    now = START + 10;
    expect(due(START - 60)).toBe(1_000);
    expect(due(START + 1)).toBe(0);
  });

  it('follows the one before, and starves no session where events come for minutes', async () => {
    const reads = new Map(sessions.map((one) => [one, [START - 60]]));
    for (; now < START + 120; now += 0.5) {
      await reloads.requestForAll();
      for (const [one, times] of reads) if (reloads.isDue(one, times.at(-1) ?? 0)) times.push(now);
    }
    for (const times of reads.values()) {
      const pauses = times.slice(2).map((time, index) => time - (times[index + 1] ?? 0));
      expect(Math.max(...pauses)).toBeLessThanOrEqual(11);
      expect(times.length).toBeLessThanOrEqual(14);
    }
    for (const end = now + 20; now < end; now += 0.5)
      for (const [one, times] of reads) if (reloads.isDue(one, times.at(-1) ?? 0)) times.push(now);
    for (const times of reads.values()) expect(times.at(-1)).toBeGreaterThanOrEqual(START + 120);
  });
});
