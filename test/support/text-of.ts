import type { Page } from './browser.js';

/** The visible text of a page. */
export const textOf = (page: Page) =>
  page.document.querySelector('main')?.text.replace(/\s+/g, ' ').trim() ?? '';
