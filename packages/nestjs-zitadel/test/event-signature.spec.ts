import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { signatureProblem } from '../src/events/event-signature.js';
import { eventFrom, EVENT_TYPES } from '../src/events/zitadel-event.js';

interface Exchange {
  name: string;
  request: { headers: Record<string, string>; json: { event_type: string } };
}

const KEY = 'PLACEHOLDERsigningkeyPLACEHOLDERsign';
const FURTHER = 'a-further-key-of-the-list-that-is-no-match';
const file = 'packages/zitadel-sandbox/test/recorded/actions-events.json';
const recorded = (JSON.parse(readFileSync(file, 'utf8')) as Exchange[])
  .filter(({ name }) => name.startsWith('event '))
  .map(({ request: { headers, json } }) => ({
    type: json.event_type,
    body: Buffer.from(JSON.stringify(json)),
    header: headers['zitadel-signature'] ?? '',
    seconds: Number(/\d+/.exec(headers['zitadel-signature'] ?? '')?.[0]),
  }));
const [sample = { type: '', body: Buffer.alloc(0), header: '', seconds: 0 }] = recorded;

let now: number;
beforeEach(() => {
  now = sample.seconds;
  jest.spyOn(Date, 'now').mockImplementation(() => now * 1000);
});
afterEach(() => void jest.restoreAllMocks());

describe('the signature of an event', () => {
  it('is accepted for every recorded event, by any key of the list', () => {
    expect(recorded.length).toBeGreaterThan(50);
    for (const { body, header, seconds } of recorded) {
      now = seconds;
      expect(signatureProblem(header, body, [KEY])).toBeUndefined();
      expect(signatureProblem(header, body, [FURTHER, KEY])).toBeUndefined();
      expect(signatureProblem(header, body, [FURTHER])).toContain('another key');
    }
  });

  it('is accepted for five minutes, and as long before', () => {
    const problemAt = (seconds: number) => {
      now = sample.seconds + seconds;
      return signatureProblem(sample.header, sample.body, [KEY]);
    };
    expect([-300, 0, 300].map(problemAt)).toEqual([undefined, undefined, undefined]);
    for (const seconds of [-301, 301, Infinity]) expect(problemAt(seconds)).toContain('clocks differ');
  });

  it('is over the body byte by byte, and may be one of several', () => {
    const spaced = Buffer.from(`${sample.body.toString()} `);
    expect(signatureProblem(sample.header, spaced, [KEY])).toContain('another key');
    const [time = '', signature = ''] = sample.header.split(',');
    const several = `${time}, v1=${'0'.repeat(64)}, ${signature}`;
    expect(signatureProblem(several, sample.body, [KEY])).toBeUndefined();
  });

  it.each([
    undefined,
    '',
    't=1',
    ['t=1', 'v1=x'],
    'v1=',
    `t=,v1=${'0'.repeat(64)}`,
    `t=1e9,v1=${'0'.repeat(64)}`,
  ])('is missing or malformed in %j', (header) => {
    expect(signatureProblem(header, sample.body, [KEY])).toContain('missing or malformed');
  });
});

describe('an event', () => {
  it('of each recorded type is read, and has an effect where its type is among those for executions', () => {
    for (const { type, body } of recorded) {
      const event = eventFrom(body);
      expect(event?.type).toBe(type);
      expect(event?.effect !== undefined).toBe(EVENT_TYPES.includes(type));
      expect(event?.createdAt).toBeGreaterThan(1_700_000_000);
    }
  });

  it('is reduced to its type, ids, time and effect', () => {
    const changed = recorded.find(({ type }) => type === 'user.human.password.changed');
    expect(changed?.body.toString()).toContain('encodedHash');
    expect(eventFrom(changed?.body ?? Buffer.alloc(0))).toEqual({
      type: 'user.human.password.changed',
      id: 'user.human.password.changed 300000000000000298 7',
      createdAt: Date.parse('2026-11-30T00:04:45.740Z') / 1000,
      effect: { kind: 'user_ended', sub: '300000000000000298' },
    });
  });

  it.each([
    ['user.human.signed.out', { kind: 'session_ended', sid: 'V1_300000000000000279' }],
    ['session.terminated', { kind: 'session_ended', sid: '300000000000000318' }],
    [
      'user.grant.added',
      { kind: 'claims_changed', sub: '300000000000000294', projectId: '300000000000000285' },
    ],
    [
      'user.grant.removed',
      { kind: 'claims_changed', sub: '300000000000000042', projectId: '300000000000000045' },
    ],
    ['user.grant.cascade.changed', { kind: 'claims_of_somebody_changed' }],
    ['user.grant.deactivated', { kind: 'claims_of_somebody_changed' }],
    ['user.grant.reactivated', { kind: 'claims_of_somebody_changed' }],
    ['project.role.removed', { kind: 'claims_of_somebody_changed', projectId: '300000000000000303' }],
  ])('%s has the effect %j', (type, effect) => {
    const event = recorded.find((one) => one.type === type);
    expect(eventFrom(event?.body ?? Buffer.alloc(0))?.effect).toEqual(effect);
  });
});
