import type { BrowserContext, Page } from 'playwright-core';

/** A page of a real browser, and everything that went wrong on it. */
export interface ObservedPage {
  page: Page;
  /** errors in the console, what the Content Security Policy blocked, failed requests, dialogs */
  problems: () => Promise<string[]>;
}

declare global {
  interface Window {
    /** what the Content Security Policy blocked on this page */
    blocked?: string[];
  }
}

/** Makes every page of a context keep what the Content Security Policy blocks on it. */
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
    // The browser says so, too, when a document is meant to have an error status.
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
    // What was under way when the next page was opened.
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
