import { describeError } from '@mridang/nestjs-auth';
import type { Logger } from '@nestjs/common';

const INTERVAL_MS = 10_000;

/** Says that something fails when it begins to, every ten seconds how often, and when it is over: not once for each failure. */
export class OutageLog {
  private count = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param sentence what has failed, as in "Tokens were not renewed" */
  constructor(
    private readonly logger: Logger,
    private readonly sentence: string,
  ) {}

  failed(error: unknown) {
    this.count++;
    if (this.timer) return this.logger.debug(`${this.sentence}\n${describeError(error)}`);
    this.logger.error(`${this.sentence}\n${describeError(error)}`);
    this.count = 0;
    this.timer = setInterval(() => this.sum(), INTERVAL_MS).unref();
  }

  private sum() {
    if (this.count > 0)
      this.logger.warn(`${this.sentence}: ${this.count} more times in ${INTERVAL_MS / 1000} s`);
    else {
      clearInterval(this.timer);
      this.timer = undefined;
      this.logger.log(`${this.sentence}: not any more, for ${INTERVAL_MS / 1000} s`);
    }
    this.count = 0;
  }
}
