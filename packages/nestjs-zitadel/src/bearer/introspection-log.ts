import { describeError } from '@mridang/nestjs-auth';
import { Logger } from '@nestjs/common';

const INTERVAL_MS = 10_000;

/** Inactive tokens in a row that are worth a warning: with the key of another project, every token is inactive. */
const SUSPICIOUS = 10;

export const INACTIVE = 'inactive';

/** Logs failures of the introspection and their end in a few lines, however many tokens there are. */
export class IntrospectionLog {
  private readonly logger = new Logger('Introspection');
  private isFailing = false;
  private isPaused = false;
  private inactiveInARow = 0;
  private readonly mayLogFailure = limiter();
  private readonly mayLogShed = limiter();

  refused(reason: string) {
    this.logger.debug(`A token was refused: ${reason}`);
    if (reason !== INACTIVE) return;
    this.inactiveInARow++;
    if (this.inactiveInARow === SUSPICIOUS)
      this.logger.warn(
        `${SUSPICIOUS} tokens in a row were inactive and none was active: check that the key of this API is that of an application of the project in IDP_PROJECT_ID, and that the tokens have that project as audience`,
      );
  }

  accepted() {
    this.inactiveInARow = -Infinity;
  }

  succeeded() {
    this.isFailing = false;
  }

  failed(error: unknown) {
    const isNew = !this.isFailing && !this.isPaused && this.mayLogFailure();
    this.isFailing = true;
    this.logger[isNew ? 'error' : 'debug'](
      `Introspection failed: callers with a token that is not cached get 503\n${describeError(error)}`,
    );
  }

  /** A caller got 503 before Zitadel has answered. */
  shed({ message }: Error) {
    if (this.mayLogShed()) this.logger.warn(`Callers got 503 without waiting for Zitadel: ${message}`);
  }

  /** The circuit breaker calls this again for each failed probe. */
  paused(error: unknown, { failures, pauseMs }: { failures: number; pauseMs: number }) {
    if (!this.isPaused)
      this.logger.error(
        `Introspection paused for ${pauseMs / 1000} s after ${failures} failures (circuit breaker)\n${describeError(error)}`,
      );
    this.isPaused = true;
  }

  resumed() {
    this.isPaused = false;
    this.logger.log('Introspection resumed: Zitadel answers again (circuit breaker)');
  }
}

/** Returns a function that returns `true` at most once per interval. */
function limiter(): () => boolean {
  let last = -Infinity;
  return () => {
    const now = Date.now();
    if (now - last < INTERVAL_MS) return false;
    last = now;
    return true;
  };
}
