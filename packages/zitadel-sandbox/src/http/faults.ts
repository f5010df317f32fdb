import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

interface Failure {
  status: number;
  left: number;
}

/** Fault injection by path, for tests: delayed, dropped and failed responses. */
export class Faults {
  private readonly delaysMs = new Map<string, number>();
  private readonly failures = new Map<string, Failure>();
  private readonly drops = new Map<string, number>();
  private readonly refusals = new Map<string, number>();
  private readonly stopped = new AbortController();

  constructor() {
    // one listener per delayed response; Node warns of a leak above ten
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

  /** The status to send without handling the request; uses up one failure. */
  takeFailureStatus(path: string): number | undefined {
    const failure = this.failures.get(path);
    if (!failure || failure.left <= 0) return undefined;
    failure.left -= 1;
    return failure.status;
  }

  /** True when the request is handled and its response dropped; uses up one drop. */
  takeDrop(path: string): boolean {
    return takeOne(this.drops, path);
  }

  /** True when the token of this request counts as invalid; uses up one refusal. */
  takeTokenRefusal(path: string): boolean {
    return takeOne(this.refusals, path);
  }

  /** Waits for the delay of that path; ends early when the sandbox stops. */
  async delayAnswer(path: string): Promise<void> {
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
