import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

/** Troubles that tests ask for: endpoints that answer late or fail. */
export class Faults {
  private readonly delaysMs = new Map<string, number>();
  private readonly statuses = new Map<string, number>();
  private readonly stopped = new AbortController();

  constructor() {
    // one listener for each answer held back; Node takes more than ten for a leak
    setMaxListeners(0, this.stopped.signal);
  }

  delay(path: string, ms: number): void {
    this.delaysMs.set(path, ms);
  }

  fail(path: string, status: number | null): void {
    if (status === null) this.statuses.delete(path);
    else this.statuses.set(path, status);
  }

  statusFor(path: string): number | undefined {
    return this.statuses.get(path);
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
