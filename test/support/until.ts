import { setTimeout as pause } from 'node:timers/promises';
/** Waits for an effect that no response announces. Throws after `limitMs`, which is reached only when it never happens. */
export async function until(isSo: () => boolean | Promise<boolean>, limitMs = 15_000): Promise<void> {
  for (const end = performance.now() + limitMs; !(await isSo());) {
    if (performance.now() > end) throw new Error(`Not true after ${limitMs} ms: ${String(isSo)}`);
    await pause(10);
  }
}
