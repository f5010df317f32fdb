import { constants } from 'node:os';
import { Logger, type INestApplication } from '@nestjs/common';
import { LeanExpressAdapter } from './lean-express.adapter.js';

const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** Longest time for in-flight requests. */
const LIMIT_MS = 10_000;

/** npm forwards the SIGINT that the terminal has already sent to the whole process group. */
const SAME_SIGNAL_MS = 50;

/** Ends the program on a signal after in-flight requests are answered. A second signal ends it at once. */
export function stopOnSignal(app: INestApplication): void {
  let stoppingSince: number | undefined;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      if (stoppingSince === undefined) {
        stoppingSince = performance.now();
        void stop(app, signal);
      } else if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(exitCodeOf(signal));
    });
  }
}

async function stop(app: INestApplication, signal: NodeJS.Signals): Promise<void> {
  const logger = new Logger('Stop');
  logger.log(
    `${signal}: waiting for in-flight requests, ${LIMIT_MS / 1000} s at most. A second signal ends the program at once`,
  );
  const adapter: unknown = app.getHttpAdapter();
  const cut = adapter instanceof LeanExpressAdapter ? await adapter.drain(LIMIT_MS) : 0;
  if (cut > 0) logger.warn(`${cut} connections were closed with requests in flight`);
  await app.close();
  process.exit(0);
}

const exitCodeOf = (signal: NodeJS.Signals) => 128 + constants.signals[signal];
