import { SignInFailed, type HttpRequest } from '@mridang/nestjs-auth';
import { Logger } from '@nestjs/common';
import { afterAll, beforeEach, expect, it } from '@jest/globals';
import { AuditLog } from '../src/log/audit-log.js';
import type { ZitadelObserver } from '../src/zitadel.observer.js';

type Line = [level: string, text: string, fields: Record<string, unknown>, context: string];

const lines: Line[] = [];
const record =
  (level: string) =>
  (...[text, fields, context]: unknown[]) =>
    void lines.push([level, ...([text, fields, context] as [string, Record<string, unknown>, string])]);
Logger.overrideLogger({
  log: record('log'),
  warn: record('warn'),
  error: record('error'),
  debug: record('debug'),
});
afterAll(() => {
  Logger.overrideLogger(false);
});

const told: unknown[][] = [];
const observer: ZitadelObserver = {
  signedIn: (...given) => told.push(given),
  signInFailed: (...given) => told.push(given),
};
const audit = (secret: string) => new AuditLog(secret, 'salt', observer);
const log = audit('a secret for the tests that is long enough');
const owner = { sub: '320000000000000001', sid: 'V1_320000000000000002' };
const request = (id?: string): HttpRequest => ({
  method: 'GET',
  url: '/',
  headers: id === undefined ? {} : { 'x-request-id': id },
});

beforeEach(() => {
  lines.length = told.length = 0;
});

it('a sign-in is logged with pseudonyms, and the observer receives the user', () => {
  log.signedIn(owner, request('request-1'));
  expect(lines).toEqual([
    [
      'log',
      'A user signed in',
      {
        event: 'login.succeeded',
        reqId: 'request-1',
        user: expect.stringMatching(/^[\w-]{12}$/),
        session: expect.stringMatching(/^[\w-]{12}$/),
      },
      'Event',
    ],
  ]);
  expect(told).toEqual([[owner, request('request-1')]]);
});

it('a request that is no event is logged as a warning sixty times a minute, and told each time', () => {
  for (let count = 0; count < 70; count++)
    log.eventReceived('refused', undefined, {}, request(), new TypeError('no signature'));
  expect(lines.filter(([level]) => level === 'warn')).toHaveLength(60);
  expect(lines.filter(([level]) => level === 'debug')).toHaveLength(10);
});

it('a pseudonym is the same for the same user and changes with the secret', () => {
  log.signedIn(owner, request());
  log.signedOut('user', 'done', { sub: owner.sub }, request());
  audit('another secret for the tests that is long enough').signedIn(owner, request());
  const [first, second, third] = lines.map(([, , { user }]) => user);
  expect(second).toBe(first);
  expect(third).not.toBe(first);
});

it.each([undefined, '', 'a b', 'x'.repeat(65), '{"event":"login.succeeded"}'])(
  'a log line has no request id when the header X-Request-Id is invalid: %j',
  (id) => {
    log.signedIn(owner, request(id));
    expect(lines[0]?.[2]).not.toHaveProperty('reqId');
  },
);

it('a failed sign-in is logged as an error when an operator has to act and as a warning otherwise', () => {
  const [cancelled, refused] = [
    new SignInFailed('access_denied'),
    new SignInFailed('provider_misconfigured'),
  ];
  for (const failure of [cancelled, refused]) log.signInFailed(failure, request());
  expect(lines.map(([level, , { event, reason, reference }]) => [level, event, reason, reference])).toEqual([
    ['warn', 'login.failed', 'access_denied', cancelled.reference],
    ['error', 'login.failed', 'provider_misconfigured', refused.reference],
  ]);
});
