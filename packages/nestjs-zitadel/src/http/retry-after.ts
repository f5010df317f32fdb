const MAX_SECONDS = 300;

/** How many seconds an answer 429 or 503 asks to wait (`Retry-After`, RFC 9110 10.2.3), 300 at most. */
export function retryAfterSeconds({
  status,
  headers,
}: Pick<Response, 'status' | 'headers'>): number | undefined {
  if (status !== 429 && status !== 503) return undefined;
  const given = headers.get('retry-after') ?? '';
  // The date is by the clock of the server that answers.
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  const seconds = /^\d+$/.test(given) ? Number(given) : Math.ceil((dateIn(given) - now) / 1000);
  return seconds > 0 ? Math.min(seconds, MAX_SECONDS) : undefined;
}

/** `NaN` for what does not begin as an HTTP date does, with the day of the week. */
const dateIn = (text: string) => (/^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN);
