import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/** The languages there are texts in, the one for everybody else first. */
export const languages = ['en', 'de', 'fr'] as const;

export type Language = (typeof languages)[number];

const MAX_KNOWN = 500;
const MAX_HEADER_LENGTH = 500;

const known = new LRUCache<string, Language>({ max: MAX_KNOWN });

/** The best of our languages for an `Accept-Language` header (RFC 9110 12.5.4). */
export function languageFor(header = ''): Language {
  const found = known.get(header);
  if (found) return found;
  if (header.length > MAX_HEADER_LENGTH) return languages[0];
  const accepted = new Negotiator({ headers: { 'accept-language': header } }).language([...languages]);
  const language = languages.find((candidate) => candidate === accepted) ?? languages[0];
  known.set(header, language);
  return language;
}
