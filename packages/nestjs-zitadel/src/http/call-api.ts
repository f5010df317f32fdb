import { requiredSignIn, type SignInRequirements } from '../fresh-sign-in/sign-in-requirements.js';
import { ORGANIZATION_HEADER } from '../organizations/acting.js';
import { boundedFetch } from './bounded-fetch.js';
import { sendWithRetry } from './send-with-retry.js';

const MAX_ANSWER_BYTES = 10_000;

/** Answer of an API. */
export type ApiAnswer =
  | { kind: 'answer'; status: number; text: string }
  /** the API requires a login of at most that age, or with these methods (RFC 9470, 8176) */
  | { kind: 'login'; required: SignInRequirements };

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
  const required = answer.status === 401 ? requiredSignIn(answer.headers.get('www-authenticate')) : undefined;
  return required
    ? { kind: 'login', required }
    : { kind: 'answer', status: answer.status, text: await answer.text() };
}
