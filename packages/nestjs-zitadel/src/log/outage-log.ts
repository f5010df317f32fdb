import { describeError } from '@mridang/nestjs-auth';
import type { Logger } from '@nestjs/common';

const INTERVAL_MS = 10_000;

/** Logs repeated failures in a few lines: the first one, then their number every ten seconds, and the end after ten seconds without one. */
export class OutageLog {
  private count = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param sentence what failed, as in "Could not refresh tokens" */
  constructor(
    private readonly logger: Logger,
    private readonly sentence: string,
  ) {}

  failed(error?: unknown) {
    this.count++;
    const text = error === undefined ? this.sentence : `${this.sentence}\n${describeError(error)}`;
    if (this.timer) return this.logger.debug(text);
    this.logger.error(text);
    this.count = 0;
    this.timer = setInterval(() => this.summarize(), INTERVAL_MS).unref();
  }

  private summarize() {
    if (this.count > 0) this.logger.warn(`${this.sentence}: ${this.count} more in ${INTERVAL_MS / 1000} s`);
    else {
      this.stopTimer();
      this.logger.log(`${this.sentence}: none in the last ${INTERVAL_MS / 1000} s`);
    }
    this.count = 0;
  }

  /** Logs the number of failures that no line has yet. For the shutdown: no line follows. */
  end() {
    if (this.count > 0) this.logger.warn(`${this.sentence}: ${this.count} more until the shutdown`);
    this.stopTimer();
    this.count = 0;
  }

  private stopTimer() {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
