/** Waits for what happens behind an answer. Fails after five seconds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 5_000; !(await isSo());) {
    if (performance.now() > end) throw new Error(`It has not happened: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
