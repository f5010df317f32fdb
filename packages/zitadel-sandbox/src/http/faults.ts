import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

interface Failure {
  status: number;
  left: number;
}

/** Troubles that tests ask for, by path: answers that are late, missing or wrong. */
export class Faults {
  private readonly delaysMs = new Map<string, number>();
  private readonly failures = new Map<string, Failure>();
  private readonly drops = new Map<string, number>();
  private readonly refusals = new Map<string, number>();
  private readonly stopped = new AbortController();

  constructor() {
    // one listener for each answer held back; Node takes more than ten for a leak
    setMaxListeners(0, this.stopped.signal);
  }

  delay(path: string, ms: number): void {
    this.delaysMs.set(path, ms);
  }

  fail(path: string, status: number | null, times: number): void {
    if (status === null) this.failures.delete(path);
    else this.failures.set(path, { status, left: times });
  }

  drop(path: string, times: number): void {
    this.drops.set(path, times);
  }

  refuseTokens(path: string, times: number): void {
    this.refusals.set(path, times);
  }

  /** The status this request is to get instead of an answer. Counts it. */
  statusFor(path: string): number | undefined {
    const failure = this.failures.get(path);
    if (!failure || failure.left <= 0) return undefined;
    failure.left -= 1;
    return failure.status;
  }

  /** True when this request is to be worked on and its answer lost. Counts it. */
  dropsAnswer(path: string): boolean {
    return takeOne(this.drops, path);
  }

  /** True when this request's token, good or not, is to be taken for a bad one. Counts it. */
  refusesToken(path: string): boolean {
    return takeOne(this.refusals, path);
  }

  /** Waits as long as answers of that path are to be late; not at all once stopped. */
  async holdBack(path: string): Promise<void> {
    const ms = this.delaysMs.get(path) ?? 0;
    if (ms > 0) await wait(ms, undefined, { signal: this.stopped.signal }).catch(() => undefined);
  }

  stop(): void {
    this.stopped.abort();
  }
}

function takeOne(left: Map<string, number>, path: string): boolean {
  const times = left.get(path) ?? 0;
  if (times > 0) left.set(path, times - 1);
  return times > 0;
}
