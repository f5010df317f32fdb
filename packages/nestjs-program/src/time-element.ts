/** Formats of a locale, and the minutes it has formatted: `Intl` takes longer than the rest of a page. */
const known = new Map<string, { format: Intl.DateTimeFormat; texts: Map<number, string> }>();

/** Of one locale: with more, all are forgotten. */
const MAX_MINUTES = 2_000;

/**
 * Returns a time as an HTML element, in UTC; a script may convert it to the time zone of the reader.
 *
 * @param seconds since 1970
 * @param locale one of a few, such as `en-GB`
 */
export function timeElement(seconds: number, locale: string): string {
  const time = new Date(seconds * 1000);
  return `<time datetime="${time.toISOString()}">${minuteText(time, locale)} UTC</time>`;
}

function minuteText(time: Date, locale: string): string {
  const { format, texts } = known.get(locale) ?? formatFor(locale);
  const minute = Math.floor(time.getTime() / 60_000);
  const found = texts.get(minute);
  if (found !== undefined) return found;
  const text = format.format(time);
  if (texts.size === MAX_MINUTES) texts.clear();
  texts.set(minute, text);
  return text;
}

function formatFor(locale: string) {
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  const made = { format, texts: new Map<number, string>() };
  known.set(locale, made);
  return made;
}
