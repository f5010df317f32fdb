import { describeError } from '@mridang/nestjs-auth';
import { Logger } from '@nestjs/common';

const SPARINGLY_MS = 10_000;

/** With the key of another project every token is inactive. */
const SUSPICIOUS = 10;

export const INACTIVE = 'inactive';

/** Says when Zitadel stops answering and when it answers again: a few lines, however many tokens there are. */
export class IntrospectionLog {
  private readonly logger = new Logger('Introspection');
  private isTrouble = false;
  private isPaused = false;
  private inactiveInARow = 0;
  private readonly isTroubleDue = sparingly();
  private readonly isImpatienceDue = sparingly();

  rejected(reason: string) {
    this.logger.debug(`A token was refused: it is ${reason}`);
    if (reason !== INACTIVE) return;
    this.inactiveInARow++;
    if (this.inactiveInARow === SUSPICIOUS)
      this.logger.warn(
        `${SUSPICIOUS} tokens in a row are inactive for Zitadel and none was active: is the key of this API that of an application of the project in IDP_PROJECT_ID, and are the tokens meant for it?`,
      );
  }

  accepted() {
    this.inactiveInARow = -Infinity;
  }

  answered() {
    this.isTrouble = false;
  }

  failed(error: unknown) {
    const isNews = !this.isTrouble && !this.isPaused && this.isTroubleDue();
    this.isTrouble = true;
    this.logger[isNews ? 'error' : 'debug'](`Tokens cannot be checked\n${describeError(error)}`);
  }

  /** Callers were sent away though Zitadel might still answer. */
  impatient({ message }: Error) {
    if (this.isImpatienceDue()) this.logger.warn(`Callers were told to come back: ${message}`);
  }

  /** Whenever a probe fails, too. */
  paused(error: unknown) {
    if (!this.isPaused)
      this.logger.error(`Zitadel is left alone, but for a question now and then\n${describeError(error)}`);
    this.isPaused = true;
  }

  resumed() {
    this.isPaused = false;
    this.logger.log('Zitadel is asked about tokens again');
  }
}

/** Makes a question to which the answer is yes at most once in a while. */
function sparingly(): () => boolean {
  let last = -Infinity;
  return () => {
    const now = Date.now();
    if (now - last < SPARINGLY_MS) return false;
    last = now;
    return true;
  };
}
