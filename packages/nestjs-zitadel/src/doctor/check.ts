import { boundedFetch } from '../http/bounded-fetch.js';
import { filled, mistakes, type CheckId, type MistakeCode } from '../setup/mistakes.js';

/** A line of the report. */
export interface Check {
  id: CheckId;
  /** `unknown`: it could not be examined; `cause` says why, `cure` what would tell */
  status: 'ok' | 'wrong' | 'unknown';
  /** what is wrong; of an `ok` check what is worth knowing */
  cause: string | null;
  /** what to do */
  cure: string | null;
  /** the variable to change */
  setting: string | null;
}

export const ok = (id: CheckId, cause: string | null = null): Check => ({
  id,
  status: 'ok',
  cause,
  cure: null,
  setting: null,
});

/** @param setting where it is another variable than that of the table */
export function wrong(
  code: MistakeCode,
  values: Record<string, string | number> = {},
  setting: string = mistakes[code].setting,
): Check {
  const { check: id, cause, cure } = mistakes[code];
  return {
    id,
    status: 'wrong',
    cause: filled(cause, values),
    cure: filled(cure, values),
    setting: setting || null,
  };
}

export const unknown = (id: CheckId, cause: string, cure: string | null = null): Check => ({
  id,
  status: 'unknown',
  cause,
  cure,
  setting: null,
});

/** Runs a group of checks; those whose work fails are `unknown`. */
export async function attempt(ids: readonly CheckId[], work: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await work();
  } catch (error) {
    return ids.map((id) => unknown(id, `the request failed: ${reasonOf(error)}`, 'run the doctor again'));
  }
}

/** The message of the innermost cause, such as `connect ECONNREFUSED 127.0.0.1:8080`. */
export function reasonOf(error: unknown): string {
  const { cause, errors, message, code } = Object(error) as Partial<AggregateError> & { code?: unknown };
  const inner = cause ?? (errors as unknown[] | undefined)?.[0];
  return inner === undefined ? message || String(code) : reasonOf(inner);
}

/** The code of the innermost cause, such as `ECONNREFUSED`. */
export function codeOf(error: unknown): string {
  const { cause, errors, code } = Object(error) as Partial<AggregateError> & { code?: unknown };
  const inner = cause ?? (errors as unknown[] | undefined)?.[0];
  if (inner !== undefined) return codeOf(inner);
  return typeof code === 'string' ? code : '';
}

const REQUEST_TIMEOUT_MS = 4_000;
const MAX_BYTES = 1_000_000;

/** As `fetch`, without redirects, for at most four seconds and not beyond `signal`. */
export type Ask = (url: string | URL, init?: RequestInit) => Promise<Response>;

export const askUntil =
  (signal: AbortSignal): Ask =>
  (url, init = {}) =>
    boundedFetch(url, init, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_TIMEOUT_MS)]),
      maxBytes: MAX_BYTES,
    });
