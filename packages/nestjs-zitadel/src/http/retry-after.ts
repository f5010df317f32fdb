/** Nobody is locked out for longer by one answer, whatever it says. */
const MAX_SECONDS = 300;

/** What is looked at of an answer. */
export interface Patience {
  status: number;
  /** of `fetch` */
  headers?: Headers;
  /** of `BoundedPost` */
  retryAfter?: string | undefined;
  date?: string | undefined;
}

/** For how many seconds an answer 429 or 503 asks to be left alone (RFC 9110 10.2.3), if it says so. */
export function retryAfterSeconds(answer: Patience): number | undefined {
  if (answer.status !== 429 && answer.status !== 503) return undefined;
  const given = answer.retryAfter ?? answer.headers?.get('retry-after') ?? '';
  // The date is one of the clock of whoever answers.
  const now = Date.parse(answer.date ?? answer.headers?.get('date') ?? '') || Date.now();
  const seconds = /^\d+$/.test(given) ? Number(given) : Math.ceil((dateIn(given) - now) / 1000);
  return seconds > 0 ? Math.min(seconds, MAX_SECONDS) : undefined;
}

/** `NaN` for what does not begin as an HTTP date does, with the day of the week. */
const dateIn = (text: string) => (/^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : NaN);
