import { freshSignInUrl, type ApiAnswer } from '@mridang/nestjs-zitadel';
import type { TextKey } from '../texts/en.js';

/** Result of an API call, for the profile page. */
export interface ApiCall {
  title: TextKey;
  status?: number;
  /** answer of the API */
  answer?: string;
  /** explanation of a refusal */
  text?: TextKey;
  /** address of a new login, where that helps */
  loginUrl?: string;
}

/** Explains the result of an API call. */
export function apiCallOf(answer: ApiAnswer | { kind: 'none' }, basePath: string): ApiCall {
  if (answer.kind === 'none') return { title: 'api.none.title', text: 'api.none.text' };
  if (answer.kind === 'login') {
    const { required } = answer;
    return {
      status: 401,
      ...(required.maxAgeSeconds === undefined
        ? { title: 'api.factors.title', text: 'api.factors.text' }
        : { title: 'api.login.title', text: 'api.login.text' }),
      loginUrl: freshSignInUrl(basePath, required, `${basePath}/profile/api`),
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
