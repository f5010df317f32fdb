import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { START_MS, startChromium } from '../support/chromium.js';
import { contextOf } from '../support/context-of.js';
import { observedPage, scrollToLive, type ObservedPage } from '../support/observed-page.js';
import { pages, people, type PageUnderTest, type Person } from '../support/pages.js';
import type { RunningApp } from '../support/start-app.js';
import { startAppWithApi } from '../support/start-app-with-api.js';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** The color schemes and widths; axe runs at the first width. */
const schemes = [
  { scheme: 'light', widths: [360, 1280] },
  { scheme: 'dark', widths: [1280, 360] },
] as const;

let app: RunningApp;
let chromium: Browser;
let contexts: Record<Person | 'visitor', BrowserContext>;

beforeAll(async () => {
  [app, chromium] = await Promise.all([startAppWithApi(), startChromium()]);
  const [visitor, alice, bob] = await Promise.all(
    [undefined, people.alice, people.bob].map((loginName) => contextOf(app, chromium, loginName)),
  );
  contexts = { visitor, alice, bob } as typeof contexts;
}, START_MS);
afterAll(async () => {
  await chromium?.close();
  await app?.close();
});

async function open({ path, person, scrollToLive: isScrolled }: PageUnderTest): Promise<OpenedPage> {
  const observed = await observedPage(contexts[person ?? 'visitor']);
  const { page } = observed;
  await page.setViewportSize({ width: schemes[0].widths[0], height: 800 });
  const response = await page.goto(app.origin + path);
  if (isScrolled) await scrollToLive(page);
  await page.evaluate(axe);
  return { ...observed, status: response?.status() };
}

interface OpenedPage extends ObservedPage {
  status: number | undefined;
}

/** The violations of all axe rules, including best practices and experimental ones. */
async function violations(page: Page): Promise<string[]> {
  const { violations: found } = await page.evaluate(() => {
    const { axe } = window as unknown as { axe: { run(options: RunOptions): Promise<AxeResults> } };
    const values = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice', 'experimental'];
    return axe.run({ runOnly: { type: 'tag', values }, resultTypes: ['violations'] });
  });
  return found.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
}

/** The horizontal overflow of the page in pixels. */
const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Saves a screenshot for the documentation with SCREENSHOTS=1 (`npm run screenshots`). */
async function picture(page: Page, name: string) {
  if (!process.env['SCREENSHOTS']) return;
  mkdirSync('docs/screenshots', { recursive: true });
  const png = await page.screenshot({ fullPage: true, animations: 'disabled' });
  writeFileSync(`docs/screenshots/${name}.png`, png);
}

describe.each(pages)('the page $name', (entry) => {
  let opened: OpenedPage;
  beforeAll(async () => {
    opened = await open(entry);
  });
  afterAll(() => opened?.page.close());

  it.each(schemes)(
    'has no axe violation, no horizontal scrolling and no error in the $scheme color scheme',
    async ({ scheme, widths }) => {
      const { page, problems, status } = opened;
      expect(status).toBe(entry.status ?? 200);
      expect(page.url()).toBe(app.origin + entry.path);
      await page.emulateMedia({ colorScheme: scheme });
      await page.evaluate(() => Promise.all(document.getAnimations().map(({ finished }) => finished)));
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page)).toBe(0);
        await picture(page, `${entry.name}-${width}-${scheme}`);
        if (width === widths[0]) expect(await violations(page)).toEqual([]);
      }
      expect(await problems()).toEqual([]);
    },
  );
});
