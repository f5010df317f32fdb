import type { ApiAnswer } from './api.client.js';

/** What the profile page shows of a call of the API. */
export interface ApiCall {
  isGood: boolean;
  title: string;
  text: string;
  status?: number;
}

/** How a call of the API ended, in words. What is said by the API itself is shown only where it let the user in. */
export function apiCallOf(answer: ApiAnswer): ApiCall {
  if (answer.kind === 'none')
    return {
      isGood: false,
      title: 'The API does not answer',
      text: 'It cannot be reached. Please try again in a minute.',
    };
  const { status, text } = answer;
  if (status === 200) return { isGood: true, title: 'The API answered', text, status };
  return { isGood: false, status, ...(refusals[status] ?? unexpected) };
}

const refusals: Record<number, Pick<ApiCall, 'title' | 'text'>> = {
  401: {
    title: 'The API did not let you in',
    text: 'It accepts neither your access token nor a new one. Most likely the token is not meant for the project of the API.',
  },
  403: {
    title: 'The API did not let you in',
    text: 'You are known there, but a permission is missing.',
  },
  503: {
    title: 'The API cannot check who you are right now',
    text: 'Zitadel does not tell it whether your access token is valid. Please try again in a minute.',
  },
};

const unexpected = {
  title: 'The API answered something unexpected',
  text: 'The people who run this application have to look at it.',
};
