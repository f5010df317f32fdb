import { Buffer } from 'node:buffer';

const BEYOND_ASCII = /[^\0-\x7f]/;

/**
 * Returns UTF-8 as a string with one character per byte, to be written as `latin1`: V8 joins and sends such strings much faster than
 * those with characters beyond Latin-1, and the length is the number of bytes.
 */
export const utf8Bytes = (text: string): string =>
  BEYOND_ASCII.test(text) ? Buffer.from(text).toString('latin1') : text;
