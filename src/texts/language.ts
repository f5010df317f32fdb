import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';

/** The languages there are texts in, the one for everybody else first. */
export const languages = ['en', 'de', 'fr'] as const;

export type Language = (typeof languages)[number];

/** For times. */
export const locales: Record<Language, string> = { en: 'en-GB', de: 'de-DE', fr: 'fr-FR' };

const MAX_KNOWN = 500;
const MAX_HEADER_LENGTH = 500;

const known = new LRUCache<string, { language: Language | undefined }>({ max: MAX_KNOWN });

/** The language of the pages for an `Accept-Language` header. */
export const languageFor = (header: string | undefined): Language => wantedLanguage(header) ?? languages[0];

/** The one of our languages that an `Accept-Language` header asks for most (RFC 9110 12.5.4), if it asks for any. */
export function wantedLanguage(header = ''): Language | undefined {
  const found = known.get(header);
  if (found) return found.language;
  if (header.length > MAX_HEADER_LENGTH) return undefined;
  const accepted = new Negotiator({ headers: { 'accept-language': header } })
    .languages()
    .map((tag) => tag.split('-', 1)[0]);
  const language = accepted.map((tag) => languages.find((ours) => ours === tag)).find(Boolean);
  known.set(header, { language });
  return language;
}
