import { ORGANIZATION_HEADER } from '../bearer/caller.js';
import { boundedFetch } from './bounded-fetch.js';
import { sendWithRetry } from './send-with-retry.js';

const MAX_ANSWER_BYTES = 10_000;

/** Answer of an API. */
export type ApiAnswer =
  | { kind: 'answer'; status: number; text: string }
  /** the API requires a login within so many seconds (RFC 9470) */
  | { kind: 'login'; maxAgeSeconds: number };

/** For whom an API is called. */
export interface ApiCallOptions {
  accessToken: string;
  /** the active organization */
  organizationId: string | undefined;
  timeoutSeconds: number;
}

/**
 * Sends a GET to an API for the signed-in user, from server to server.
 *
 * @throws when the API does not answer in time, or with more than 10,000 bytes
 */
export async function callApi(
  address: string,
  { accessToken, organizationId, timeoutSeconds }: ApiCallOptions,
): Promise<ApiAnswer> {
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${accessToken}`,
    ...(organizationId ? { [ORGANIZATION_HEADER]: organizationId } : {}),
  };
  const bounds = { signal: AbortSignal.timeout(timeoutSeconds * 1000), maxBytes: MAX_ANSWER_BYTES };
  const answer = await sendWithRetry(() => boundedFetch(address, { headers }, bounds));
  const maxAgeSeconds = wantedLoginAge(answer);
  return maxAgeSeconds === undefined
    ? { kind: 'answer', status: answer.status, text: await answer.text() }
    : { kind: 'login', maxAgeSeconds };
}

/** `max_age` of the challenge `insufficient_user_authentication`. */
function wantedLoginAge({ status, headers }: Response): number | undefined {
  const challenge = status === 401 ? (headers.get('www-authenticate') ?? '') : '';
  if (!challenge.includes('error="insufficient_user_authentication"')) return undefined;
  return Number(/\bmax_age="?(\d{1,9})\b/.exec(challenge)?.[1] ?? 0);
}
