import type { ZitadelObserver, ZitadelOptions } from '@mridang/nestjs-zitadel';
import type { Env } from '../config/env.js';
import { wantedLanguage } from '../texts/language.js';
import { signInFailurePage } from './sign-in-failure-page.js';

/** The options of `ZitadelModule`, from the environment. */
export const zitadelOptions = (env: Env, observer: ZitadelObserver): ZitadelOptions => ({
  ...env.zitadel,
  observer,
  secret: env.session.secrets,
  salt: env.session.salt,
  session: env.session,
  signOutPages: { done: '/auth/logout/success', failed: '/auth/logout/error' },
  apiProjectId: env.api?.projectId,
  uiLocales: ({ headers }) => wantedLanguage(headers['accept-language']),
  redisUrl: env.redisUrl,
  auth: {
    pages: { signIn: '/auth/login', error: '/auth/error' },
    failurePage: (failure, _request, response) => signInFailurePage(failure, response),
  },
});
