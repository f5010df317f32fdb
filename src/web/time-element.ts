import type { Language } from '../texts/language.js';

const locales: Record<Language, string> = { en: 'en-GB', de: 'de-DE', fr: 'fr-FR' };

const formats = new Map<Language, Intl.DateTimeFormat>();

/** A time as HTML, in UTC. `/static/app.js` converts it to the reader's time zone. */
export function timeElement(seconds: number, language: Language): string {
  const time = new Date(seconds * 1000);
  return `<time datetime="${time.toISOString()}">${formatFor(language).format(time)} UTC</time>`;
}

function formatFor(language: Language): Intl.DateTimeFormat {
  const known = formats.get(language);
  if (known) return known;
  const format = new Intl.DateTimeFormat(locales[language], {
    dateStyle: 'long',
    timeStyle: 'short',
    timeZone: 'UTC',
  });
  formats.set(language, format);
  return format;
}
