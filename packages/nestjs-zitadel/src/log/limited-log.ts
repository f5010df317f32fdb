import type { Logger } from '@nestjs/common';

const INTERVAL_MS = 10_000;
const MAX_LINES = 10;

/** Logs lines that callers can cause: ten of a kind in ten seconds; further ones have the level debug, and a warning has their number. */
export class LimitedLog {
  /** lines of the interval by kind */
  private readonly counts = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly logger: Logger) {}

  /** @param kind one of a fixed list */
  say(level: 'log' | 'warn', kind: string, text: string, fields: object) {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    this.timer ??= setTimeout(() => this.summarize(), INTERVAL_MS).unref();
    this.logger[count <= MAX_LINES ? level : 'debug'](text, fields);
  }

  /** Logs the numbers that no line has yet. For the shutdown: no line follows. */
  end() {
    clearTimeout(this.timer);
    this.summarize('until the shutdown');
  }

  private summarize(period = `in ${INTERVAL_MS / 1000} s`) {
    for (const [kind, count] of this.counts)
      if (count > MAX_LINES)
        this.logger.warn(
          `${kind}: ${count - MAX_LINES} more ${period}, of which only LOG_LEVEL=debug has the lines`,
        );
    this.counts.clear();
    this.timer = undefined;
  }
}
