import { afterAll } from '@jest/globals';

const RealDate = Date;
let movedMs = 0;

/** `Date` in this test file, so in the application and the sandbox it started. */
class MovedDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(MovedDate.now());
    else super(...(given as [number]));
  }

  static override now(): number {
    return RealDate.now() + movedMs;
  }
}

// What is closed after the tests may still look at the clock.
afterAll(() => {
  globalThis.Date = RealDate;
});

/** Moves the clock forward for everything in this process that reads `Date`. Timers run as before. */
export function moveTime(ms: number): void {
  movedMs += ms;
  globalThis.Date = MovedDate as DateConstructor;
}
