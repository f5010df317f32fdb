import type { TextKey } from '../texts/en.js';

/** Texts of an error page. */
export interface Explanation {
  title: TextKey;
  text: TextKey;
}

const statuses = [400, 401, 403, 404, 405, 413, 429, 500, 502, 503] as const;

const codes = [
  'AUTH_ROLES_REQUIRED',
  'AUTH_CSRF_COOKIE_MISSING',
  'AUTH_CSRF_TOKEN_INVALID',
  'AUTH_CROSS_SITE_REQUEST',
  'AUTH_SESSIONS_UNAVAILABLE',
  'AUTH_UNKNOWN_ISSUER',
  'ZITADEL_ACCESS_TOKEN_REJECTED',
  'ZITADEL_MISCONFIGURED',
  'ZITADEL_REFRESH_IN_DOUBT',
] as const;

const explanation = (name: (typeof statuses)[number] | (typeof codes)[number]): Explanation => ({
  title: `error.${name}.title`,
  text: `error.${name}.text`,
});

const byStatus = new Map<number, Explanation>(statuses.map((status) => [status, explanation(status)]));

/** Errors that need more than the text of their status. */
export const explanationsByCode: ReadonlyMap<string, Explanation> = new Map(
  codes.map((code) => [code, explanation(code)]),
);

/** The texts for a status and an error code. */
export const explanationFor = (status: number, code?: string): Explanation =>
  explanationsByCode.get(code ?? '') ?? byStatus.get(status) ?? explanation(status < 500 ? 400 : 500);
