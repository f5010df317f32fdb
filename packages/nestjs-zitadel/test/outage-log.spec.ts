import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { OutageLog } from '../src/log/outage-log.js';

let said: string[];
beforeEach(() => {
  said = [];
  const note = (level: string) => (message: unknown) =>
    void said.push(`${level} ${String(message).split('\n', 1)[0]}`);
  Logger.overrideLogger({ error: note('error'), warn: note('warn'), log: note('log') });
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
  Logger.overrideLogger(false);
});

it('OutageLog logs the first failure, then the number of failures every ten seconds, and the end of the failures', () => {
  const outage = new OutageLog(new Logger('Test'), 'Could not refresh tokens');
  for (let count = 0; count < 5; count++) outage.failed(new Error('Zitadel does not answer'));
  expect(said).toEqual(['error Could not refresh tokens']);
  jest.advanceTimersByTime(10_000);
  outage.failed(new Error('Zitadel does not answer'));
  jest.advanceTimersByTime(20_000);
  expect(said.slice(1)).toEqual([
    'warn Could not refresh tokens: 4 more in 10 s',
    'warn Could not refresh tokens: 1 more in 10 s',
    'log Could not refresh tokens: none in the last 10 s',
  ]);
  outage.failed(new Error('Zitadel does not answer'));
  expect(said.at(-1)).toBe('error Could not refresh tokens');
});

it('OutageLog logs the failures without a line at its end, and nothing after that', () => {
  const outage = new OutageLog(new Logger('Test'), 'Could not refresh tokens');
  for (let count = 0; count < 3; count++) outage.failed(new Error('Zitadel does not answer'));
  outage.end();
  jest.advanceTimersByTime(30_000);
  expect(said.slice(1)).toEqual(['warn Could not refresh tokens: 2 more until the shutdown']);
});
