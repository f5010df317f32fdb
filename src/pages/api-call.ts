import type { TextKey } from '../texts/en.js';
import type { ApiAnswer } from './api.client.js';

/** What the profile page shows of a call of the API. */
export interface ApiCall {
  title: TextKey;
  status?: number;
  /** what the API itself says, where it let the user in */
  answer?: string;
  /** what to make of it, where it did not */
  text?: TextKey;
  /** where to log in anew, where that helps */
  loginUrl?: string;
}

/** How a call of the API ended. */
export function apiCallOf(answer: ApiAnswer, basePath: string): ApiCall {
  if (answer.kind === 'none') return { title: 'api.none.title', text: 'api.none.text' };
  if (answer.kind === 'login') {
    const query = new URLSearchParams({
      max_age: String(answer.maxAgeSeconds),
      callbackUrl: `${basePath}/profile/api`,
    });
    return {
      title: 'api.login.title',
      status: 401,
      text: 'api.login.text',
      loginUrl: `${basePath}/auth/login?${query.toString()}`,
    };
  }
  const { status, text } = answer;
  return status === 200
    ? { title: 'api.good', status, answer: text }
    : { ...(refusals[status] ?? unexpected), status };
}

const refusals: Record<number, ApiCall> = {
  401: { title: 'api.refused.title', text: 'api.refused.text' },
  431: { title: 'api.tooLong.title', text: 'api.tooLong.text' },
  403: { title: 'api.forbidden.title', text: 'api.forbidden.text' },
  503: { title: 'api.unavailable.title', text: 'api.unavailable.text' },
};

const unexpected: ApiCall = { title: 'api.unexpected.title', text: 'api.unexpected.text' };
