import { setTimeout as pause } from 'node:timers/promises';
/** Waits for what happens behind an answer. Fails after `limitMs`, which only a hang reaches. */
export async function until(isSo: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  for (const end = performance.now() + limitMs; !(await isSo());) {
    if (performance.now() > end) throw new Error(`It has not happened: ${String(isSo)}`);
    await pause(10);
  }
}
