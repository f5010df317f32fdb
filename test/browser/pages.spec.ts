import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { START_MS, startChromium } from '../support/chromium.js';
import { overflow, picture, showIn, violations } from '../support/looks.js';
import { contextOf } from '../support/context-of.js';
import { observedPage, scrollToLive, type ObservedPage } from '../support/observed-page.js';
import { pages, people, type PageUnderTest, type Person } from '../support/pages.js';
import type { RunningApp } from '../support/start-app.js';
import { startAppWithApi } from '../support/start-app-with-api.js';

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
  return { ...observed, status: response?.status() };
}

interface OpenedPage extends ObservedPage {
  status: number | undefined;
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
      await showIn(page, scheme);
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
