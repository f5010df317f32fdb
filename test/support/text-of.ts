import type { Page } from './browser.js';

/** What a person reads on a page. */
export const textOf = (page: Page) =>
  page.document.querySelector('main')?.text.replace(/\s+/g, ' ').trim() ?? '';
