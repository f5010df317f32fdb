import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { en } from '../../src/texts/en.js';
import { START_MS, startChromium } from '../support/chromium.js';
import { contextOf } from '../support/context-of.js';
import { moveTime } from '../support/move-time.js';
import { observedPage, scrollToLive } from '../support/observed-page.js';
import { people } from '../support/pages.js';
import type { RunningApp } from '../support/start-app.js';
import { startAppWithApi } from '../support/start-app-with-api.js';

const USERINFO = '/oidc/v1/userinfo';
const sizes = [
  { width: 360, height: 740 },
  { width: 1280, height: 800 },
];

let app: RunningApp;
let chromium: Browser;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  [app, chromium] = await Promise.all([startAppWithApi(), startChromium()]);
}, START_MS);
afterEach(async () => {
  app.sandbox.fail(USERINFO, null);
  app.sandbox.delay(USERINFO, 0);
  app.sandbox.revokeRole(people.alice, 'viewer');
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});
afterAll(async () => {
  await chromium?.close();
  await app?.close();
});

async function contextFor(person?: keyof typeof people, options?: BrowserContextOptions) {
  const context = await contextOf(app, chromium, person && people[person], options);
  contexts.push(context);
  return context;
}

/** The profile of Alice. */
async function profile(options?: BrowserContextOptions) {
  const observed = await observedPage(await contextFor('alice', options));
  await observed.page.goto(`${app.origin}/profile`);
  return observed;
}

const roles = (page: Page) => page.locator('#roles');
const shownRoles = (page: Page) => roles(page).locator('.chip').allTextContents();
const readAgain = (page: Page) => roles(page).getByRole('button', { name: en['roles.readAgain'] }).click();

const live = (page: Page) => page.locator('#live');
const liveClaims = (page: Page) => live(page).locator('tbody code').allTextContents();

describe('the cumulative layout shift', () => {
  /** The sum of all layout shifts so far without user input. */
  const shiftOf = (page: Page) =>
    page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          let sum = 0;
          const add = (entries: PerformanceEntryList) => {
            for (const entry of entries as (PerformanceEntry & { value: number; hadRecentInput: boolean })[])
              if (!entry.hadRecentInput) sum += entry.value;
          };
          const observer = new PerformanceObserver((list) => add(list.getEntries()));
          observer.observe({ type: 'layout-shift', buffered: true });
          // Shifts are known after a frame was painted.
          setTimeout(() => {
            add(observer.takeRecords());
            resolve(sum);
          }, 300);
        }),
    );

  it.each(sizes)('of the landing page is below 0.01 at $width pixels', async (viewport) => {
    const { page } = await observedPage(await contextFor(undefined, { viewport }));
    await page.goto(app.origin);
    expect(await shiftOf(page)).toBeLessThan(0.01);
  });

  it.each(sizes)('of the profile page is below 0.01 while it loads at $width pixels', async (viewport) => {
    const { page } = await profile({ viewport, timezoneId: 'Asia/Tokyo' });
    expect(await shiftOf(page)).toBeLessThan(0.01);
  });

  it.each(sizes)(
    'of the profile page is below 0.01 when the live section is filled at $width pixels',
    async (viewport) => {
      const { page } = await profile({ viewport, timezoneId: 'Asia/Tokyo' });
      const before = await shiftOf(page);
      app.sandbox.delay(USERINFO, 600);
      await scrollToLive(page);
      expect((await shiftOf(page)) - before).toBeLessThan(0.01);
    },
  );
});

describe('with the keyboard alone,', () => {
  /** The focused element and the width of its outline. */
  const focused = (page: Page) =>
    page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(element);
      const { width, height } = element.getBoundingClientRect();
      return {
        isControl: element.matches('a[href], button, input:not([type="hidden"]), select, textarea, summary'),
        name: element === document.body ? 'nothing' : (element.textContent?.trim() ?? ''),
        isVisible: width > 1 && height > 1,
        outline: outlineStyle === 'none' ? 0 : parseFloat(outlineWidth),
        outlineColor,
      };
    });

  it.each(['light', 'dark'] as const)(
    'every link and button is reached in order with a visible focus in the %s color scheme',
    async (scheme) => {
      const { page, problems } = await profile({ colorScheme: scheme });
      const controls = await page
        .locator('a[href], button, input:not([type="hidden"]), select, textarea, summary')
        .evaluateAll((elements) => elements.map((element) => element.textContent?.trim()));
      expect(controls.length).toBeGreaterThan(8);
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);

      const reached: string[] = [];
      for (let presses = 0; presses < controls.length + 5 && reached.length < controls.length; presses++) {
        await page.keyboard.press('Tab');
        const { isControl, name, isVisible, outline, outlineColor } = await focused(page);
        expect({ name, isVisible, isOutlined: outline > 0 }).toEqual({
          name,
          isVisible: true,
          isOutlined: true,
        });
        expect(outlineColor).not.toBe(background);
        if (isControl) reached.push(name);
      }
      expect(reached).toEqual(controls);
      expect(await problems()).toEqual([]);
    },
  );

  it('the first link skips the navigation', async () => {
    const { page } = await profile();
    await page.keyboard.press('Tab');
    expect((await focused(page)).name).toBe(en['app.skip']);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main');
    await page.keyboard.press('Tab');
    const first = page.locator('main').locator('a[href], button').first();
    expect((await focused(page)).name).toBe((await first.textContent())?.trim());
  });

  it('Enter on "Ask Zitadel now" requests userinfo, and the button keeps the focus', async () => {
    const { page } = await profile();
    await scrollToLive(page);
    await page.getByRole('button', { name: en['profile.liveButton'] }).focus();
    const asked = page.waitForResponse(`${app.origin}/profile/live`);
    await page.keyboard.press('Enter');
    await asked;
    await page.waitForFunction(
      (done) => document.querySelector('#live [role=status]')?.textContent === done,
      en['profile.liveDone'],
    );
    expect((await focused(page)).name).toBe(en['profile.liveButton']);
  });
});

describe('without JavaScript,', () => {
  it('the profile page is complete and shows times in UTC', async () => {
    const { page } = await profile({ javaScriptEnabled: false });
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Alice Archer');
    const times = await page.locator('time').allTextContents();
    expect(times.length).toBeGreaterThan(3);
    for (const time of times) expect(time).toMatch(/ UTC$/);
    expect(await live(page).getByRole('status').isVisible()).toBe(false);
  });

  it('"Ask Zitadel now" shows the claims of userinfo', async () => {
    const { page } = await profile({ javaScriptEnabled: false });
    await page.getByRole('button', { name: en['profile.liveButton'] }).click();
    await page.waitForURL(/\/profile\/live\?*#live$/);
    expect(await liveClaims(page)).toEqual(expect.arrayContaining(['sub', 'name', 'email']));
  });

  it('"Read them again" shows the roles that Zitadel names now', async () => {
    const { page } = await profile({ javaScriptEnabled: false });
    app.sandbox.grantRole(people.alice, 'viewer');
    await readAgain(page);
    await page.waitForURL(`${app.origin}/profile#roles`);
    expect(await shownRoles(page)).toContain('viewer');
  });

  it('"Call the API" shows the response of the API', async () => {
    const { page } = await profile({ javaScriptEnabled: false });
    await page.getByRole('button', { name: en['profile.apiButton'] }).click();
    await page.waitForURL(/\/profile\/api\?*#api$/);
    expect(await page.locator('#api').getByRole('status').innerText()).toMatch(
      /The API answered \(200\)\s+"Hello World!"/,
    );
  });
});

describe('with JavaScript,', () => {
  it('"Read them again" shows the roles that Zitadel names now, in the same page, as often as it is pressed', async () => {
    const { page, problems } = await profile();
    const sent: (string | undefined)[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST') sent.push(request.headers()['x-csrf-token']);
    });
    const done = () => roles(page).getByRole('status').filter({ hasText: en['profile.liveDone'] }).waitFor();
    app.sandbox.grantRole(people.alice, 'viewer');
    await readAgain(page);
    await page.waitForSelector('#roles .chip:text("viewer")');
    await done();
    app.sandbox.revokeRole(people.alice, 'viewer');
    await readAgain(page);
    await page.waitForSelector('#roles .chip:text("viewer")', { state: 'detached' });
    await done();
    expect(page.url()).toBe(`${app.origin}/profile`);
    expect(sent).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), expect.anything()]);
    expect(await problems()).toEqual([]);
  });

  it('"Read them again" shows the page of the refusal without the CSRF cookie', async () => {
    const { page } = await profile();
    await page.context().clearCookies({ name: /csrf/ });
    await readAgain(page);
    await page.waitForURL(`${app.origin}/api/v1/me`);
    expect(await page.locator('main').innerText()).toContain(en['error.AUTH_CSRF_COOKIE_MISSING.text']);
  });

  it('"Read them again" leads to the login page when the session has ended', async () => {
    const { page } = await profile();
    await page.context().clearCookies({ name: /session/ });
    await readAgain(page);
    await page.waitForURL(`${app.origin}/auth/login?**`);
  });

  it('"Read them again" says that Zitadel did not answer, and leaves the roles as they are', async () => {
    const { page } = await profile();
    const before = await shownRoles(page);
    app.sandbox.fail(USERINFO, 500);
    await readAgain(page);
    await roles(page).getByRole('status').filter({ hasText: en['profile.liveFailed'] }).waitFor();
    expect(await shownRoles(page)).toEqual(before);
  });

  it('the live section requests userinfo once, when it is scrolled into view', async () => {
    const { page, problems } = await profile();
    const asked = () => app.sandbox.requests.filter(({ path }) => path === USERINFO).length;
    const before = asked();
    await page.waitForTimeout(200);
    expect(asked()).toBe(before);
    expect(await liveClaims(page)).toEqual([]);
    await scrollToLive(page);
    expect(await liveClaims(page)).toEqual(expect.arrayContaining(['sub', 'name', 'email']));
    expect(await live(page).locator('[role="status"]').textContent()).toBe(en['profile.liveDone']);
    expect(asked()).toBe(before + 1);
    expect(page.url()).toBe(`${app.origin}/profile`);
    expect(await problems()).toEqual([]);
  });

  it.each(['screen', 'print'] as const)(
    'the live section leaves no blank space before it is filled and after a failure: %s',
    async (media) => {
      const { page } = await profile();
      await page.emulateMedia({ media });
      /** The height below the button without the content. */
      const blank = () =>
        page.evaluate(() => {
          const bottom = (selector: string) =>
            document.querySelector(selector)?.getBoundingClientRect().bottom ?? 0;
          const footer = document.querySelector('footer')?.getBoundingClientRect().height ?? 0;
          const end = document.documentElement.getBoundingClientRect().bottom;
          return end - footer - bottom('#live form');
        });
      // The limit is the padding of the section and the page.
      expect(await blank()).toBeLessThan(150);
      app.sandbox.fail(USERINFO, 500);
      await live(page).scrollIntoViewIfNeeded();
      await live(page).getByRole('status').filter({ hasText: en['profile.liveFailed'] }).waitFor();
      app.sandbox.fail(USERINFO, null);
      expect(await blank()).toBeLessThan(150);
      expect(await page.locator('footer').isVisible()).toBe(true);
    },
  );

  it('the live section has a status text while userinfo is requested', async () => {
    const { page } = await profile();
    app.sandbox.delay(USERINFO, 1500);
    await live(page).scrollIntoViewIfNeeded();
    await live(page).getByRole('status').filter({ hasText: en['profile.liveWaiting'] }).waitFor();
    await page.waitForSelector('#live td');
  });

  it('times are shown in the time zone of the browser, also in the live section', async () => {
    const { page } = await profile({ timezoneId: 'Asia/Tokyo' });
    await scrollToLive(page);
    const times = await page.locator('time').evaluateAll((elements) =>
      (elements as HTMLTimeElement[]).map(({ dateTime, textContent, title }) => {
        const at = new Date(dateTime);
        const hours = String(at.getUTCHours()).padStart(2, '0');
        const minutes = String(at.getUTCMinutes()).padStart(2, '0');
        return { utc: `${hours}:${minutes}`, there: (at.getUTCHours() + 9) % 24, textContent, title };
      }),
    );
    expect(times.length).toBeGreaterThan(3);
    for (const { utc, there, textContent, title } of times) {
      expect(title).toContain(`${utc} UTC`);
      expect(textContent).not.toContain('UTC');
      const hour = new RegExp(`\\b0?(${there}|${there % 12 || 12}):`);
      expect(textContent).toMatch(hour);
    }
  });

  it('an ended session leads from the live section to the login page with the reason', async () => {
    const { page } = await profile();
    app.sandbox.expire('access_tokens');
    app.sandbox.expire('refresh_tokens');
    await live(page).scrollIntoViewIfNeeded();
    await live(page).getByRole('status').filter({ hasText: en['profile.liveFailed'] }).waitFor();
    moveTime(12_000);
    await page.getByRole('button', { name: en['profile.liveButton'] }).click();
    await page.waitForURL(`${app.origin}/auth/login?**`);
    expect(await page.locator('main').innerText()).toContain('You were signed out because');
  });

  it('a failed userinfo request leaves the page as it is with an error text, and a second request succeeds', async () => {
    const { page } = await profile();
    app.sandbox.fail(USERINFO, 500);
    await live(page).scrollIntoViewIfNeeded();
    await live(page).getByRole('status').filter({ hasText: en['profile.liveFailed'] }).waitFor();
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Alice Archer');
    expect(page.url()).toBe(`${app.origin}/profile`);

    app.sandbox.fail(USERINFO, null);
    await page.getByRole('button', { name: en['profile.liveButton'] }).click();
    await page.waitForSelector('#live td');
    expect(await liveClaims(page)).toContain('sub');
  });
});
