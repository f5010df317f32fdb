/** Waits for what happens behind an answer. Fails after five seconds, or `limitMs`. */
export async function until(isSo: () => boolean | Promise<boolean>, limitMs = 5_000): Promise<void> {
  for (const end = performance.now() + limitMs; !(await isSo());) {
    if (performance.now() > end) throw new Error(`It has not happened: ${String(isSo)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
