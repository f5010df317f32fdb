import { describeError } from '@mridang/nestjs-auth';
import type { Logger } from '@nestjs/common';

const INTERVAL_MS = 10_000;

/** Says that something fails when it begins to, every ten seconds how often, and when it has not failed for ten seconds: not once for each failure. */
export class OutageLog {
  private count = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param sentence what has failed, as in "Tokens were not renewed" */
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
    this.timer = setInterval(() => this.sum(), INTERVAL_MS).unref();
  }

  private sum() {
    if (this.count > 0) this.logger.warn(`${this.sentence}: ${this.count} more in ${INTERVAL_MS / 1000} s`);
    else {
      clearInterval(this.timer);
      this.timer = undefined;
      this.logger.log(`${this.sentence}: none in the last ${INTERVAL_MS / 1000} s`);
    }
    this.count = 0;
  }
}
