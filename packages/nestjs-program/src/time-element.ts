const formats = new Map<string, Intl.DateTimeFormat>();

/**
 * Returns a time as an HTML element, in UTC; a script may convert it to the time zone of the reader.
 *
 * @param seconds since 1970
 * @param locale one of a few, such as `en-GB`
 */
export function timeElement(seconds: number, locale: string): string {
  const time = new Date(seconds * 1000);
  return `<time datetime="${time.toISOString()}">${formatFor(locale).format(time)} UTC</time>`;
}

function formatFor(locale: string): Intl.DateTimeFormat {
  const known = formats.get(locale);
  if (known) return known;
  const format = new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' });
  formats.set(locale, format);
  return format;
}
