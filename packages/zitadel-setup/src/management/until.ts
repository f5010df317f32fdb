import { SetupError } from '../setup.error.js';

/** Pauses between searches; together about fifteen seconds. */
export const POLL_PAUSES_MS: readonly number[] = [
  ...[50, 100, 200, 400, 800],
  ...Array.from({ length: 14 }, () => 1000),
];

/**
 * Repeats a search until it shows what it should: Zitadel's searches lag behind its commands, usually by less than a second.
 *
 * @throws `SetupError` after the last pause, with the sentence of `problem`
 */
export async function until<Result>(
  search: () => Promise<Result | undefined>,
  problem: () => string,
  pausesMs: readonly number[] = POLL_PAUSES_MS,
): Promise<Result> {
  for (const pauseMs of [0, ...pausesMs]) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    const result = await search();
    if (result !== undefined) return result;
  }
  throw new SetupError(problem());
}
