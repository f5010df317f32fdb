import { afterAll } from '@jest/globals';

const RealDate = Date;
let movedMs = 0;

/** `Date` of this test file, and so of the application and the sandbox that it starts. */
class MovedDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    if (given.length === 0) super(MovedDate.now());
    else super(...(given as [number]));
  }

  static override now(): number {
    return RealDate.now() + movedMs;
  }
}

// Servers that are closed after the tests may still read the clock.
afterAll(() => resetTime());

/** Moves the clock of this process forward for everything that reads `Date`. Timers are not changed. */
export function moveTime(ms: number): void {
  movedMs += ms;
  globalThis.Date = MovedDate as DateConstructor;
}

/** Undoes every `moveTime`. */
export function resetTime(): void {
  movedMs = 0;
  globalThis.Date = RealDate;
}
