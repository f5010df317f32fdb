import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The violations of all axe rules, including best practices and experimental ones. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const { violations: found } = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } };
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'experimental'];
    return axe.run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] });
  });
  return found.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}

/** Shows the page in a color scheme, at the end of its transitions. */
export async function showIn(page: Page, colorScheme: 'light' | 'dark') {
  await page.emulateMedia({ colorScheme });
  await page.evaluate(() => document.getAnimations().forEach((animation) => animation.finish()));
}

/** The horizontal overflow of the page in pixels. */
export const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Saves a screenshot for the documentation with SCREENSHOTS=1 (`npm run screenshots`). */
export async function picture(page: Page, name: string) {
  if (!process.env['SCREENSHOTS']) return;
  mkdirSync('docs/screenshots', { recursive: true });
  const png = await page.screenshot({ fullPage: true, animations: 'disabled' });
  writeFileSync(`docs/screenshots/${name}.png`, png);
}
