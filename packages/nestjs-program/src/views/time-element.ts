/** A format and the minutes it was used for: `Intl` takes longer than the rest of a page. */
interface Locale {
  format: Intl.DateTimeFormat;
  minutes: Map<number, { iso: string; text: string }>;
}

const locales = new Map<string, Locale>();

/** Of one locale: with more, all are forgotten. */
const MAX_MINUTES = 2_000;

const MINUTE_MS = 60_000;

/**
 * Returns a time as an HTML element, in UTC; a script may convert it to the time zone of the reader.
 *
 * @param seconds since 1970
 * @param locale one of a few, such as `en-GB`
 */
export function timeElement(seconds: number, locale: string): string {
  const ms = Math.trunc(seconds * 1000);
  const minute = Math.floor(ms / MINUTE_MS);
  const { iso, text } = minuteIn(locale, minute);
  const rest = ((ms - minute * MINUTE_MS) / 1000).toFixed(3).padStart(6, '0');
  return `<time datetime="${iso}${rest}Z">${text} UTC</time>`;
}

function minuteIn(name: string, minute: number) {
  const { format, minutes } = locales.get(name) ?? localeOf(name);
  const known = minutes.get(minute);
  if (known) return known;
  if (minutes.size === MAX_MINUTES) minutes.clear();
  const time = new Date(minute * MINUTE_MS);
  const made = { iso: time.toISOString().slice(0, -'00.000Z'.length), text: format.format(time) };
  minutes.set(minute, made);
  return made;
}

function localeOf(name: string): Locale {
  const format = new Intl.DateTimeFormat(name, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  const made: Locale = { format, minutes: new Map() };
  locales.set(name, made);
  return made;
}
