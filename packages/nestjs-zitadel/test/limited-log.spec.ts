import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { Logger } from '@nestjs/common';
import { LimitedLog } from '../src/log/limited-log.js';

let lines: string[];
let limited: LimitedLog;

beforeEach(() => {
  jest.useFakeTimers();
  lines = [];
  const record = (level: string) => (text: string) => void lines.push(`${level} ${text}`);
  limited = new LimitedLog({
    log: record('log'),
    warn: record('warn'),
    debug: record('debug'),
  } as unknown as Logger);
});
afterEach(() => {
  jest.useRealTimers();
});

const say = (kind: string, count: number) => {
  for (let said = 0; said < count; said++) limited.say('log', kind, kind, {});
};

it('the log has ten lines of a kind in ten seconds, and after them the number of the others', () => {
  say('A', 12);
  say('B', 3);
  expect(lines.filter((line) => line === 'log A')).toHaveLength(10);
  expect(lines.filter((line) => line === 'debug A')).toHaveLength(2);
  expect(lines.filter((line) => line === 'log B')).toHaveLength(3);
  lines = [];
  jest.advanceTimersByTime(10_000);
  expect(lines).toEqual(['warn A: 2 more in 10 s, of which only LOG_LEVEL=debug has the lines']);
});

it('the log has the number of the others when the application stops, and nothing after that', () => {
  say('A', 13);
  lines = [];
  limited.end();
  jest.advanceTimersByTime(30_000);
  expect(lines).toEqual(['warn A: 3 more until the shutdown, of which only LOG_LEVEL=debug has the lines']);
});

it('the log has ten lines of the kind again after ten seconds, and no timer runs while nothing is logged', () => {
  say('A', 20);
  jest.advanceTimersByTime(10_000);
  expect(jest.getTimerCount()).toBe(0);
  lines = [];
  say('A', 10);
  expect(lines).toEqual(Array(10).fill('log A'));
});
