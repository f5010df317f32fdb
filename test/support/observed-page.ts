import type { BrowserContext, Page } from 'playwright-core';

/** A browser page and all problems on it. */
export interface ObservedPage {
  page: Page;
  /** console errors, violations of the content security policy, failed requests and dialogs */
  problems: () => Promise<string[]>;
}

declare global {
  interface Window {
    /** the violations of the content security policy on this page */
    blocked?: string[];
  }
}

/** Collects the errors that a page logs on its console. */
export function consoleErrorsOf(page: Page): string[] {
  const errors: string[] = [];
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  return errors;
}

/** Scrolls to the live section of the profile and waits until it is filled. */
export async function scrollToLive(page: Page) {
  await page.locator('#live').scrollIntoViewIfNeeded();
  await page.waitForSelector('#live td');
}

/** Makes every page of a context record the violations of its content security policy. */
export async function listenForViolations(context: BrowserContext) {
  await context.addInitScript(() => {
    const blocked: string[] = (window.blocked = []);
    document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) =>
      blocked.push(`${violatedDirective} blocked ${blockedURI} ${sample}`),
    );
  });
}

/** Opens a page in a context with `listenForViolations`. */
export async function observedPage(context: BrowserContext): Promise<ObservedPage> {
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    // The browser also logs documents with an intended error status.
    const isMeant =
      message.text().startsWith('Failed to load resource') && message.location().url === page.url();
    const isProblem = message.type() === 'error' && !isMeant;
    if (isProblem || message.text().startsWith('Unrecognized feature')) problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(`Uncaught ${error.message}`));
  page.on('dialog', (dialog) => {
    problems.push(`Dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    // Requests in flight at a navigation are cancelled.
    if (reason !== 'net::ERR_ABORTED') problems.push(`${request.url()} failed: ${reason}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400 && !response.request().isNavigationRequest())
      problems.push(`${response.url()} answered ${response.status()}`);
  });
  return {
    page,
    problems: async () => [...problems, ...(await page.evaluate(() => window.blocked ?? []))],
  };
}
