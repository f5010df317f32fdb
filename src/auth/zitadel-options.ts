import type { ZitadelObserver, ZitadelOptions } from '@mridang/nestjs-zitadel';
import type { Env } from '../config/env.js';
import { wantedLanguage } from '../texts/language.js';
import { signInFailurePage } from './sign-in-failure-page.js';

/** The options of `ZitadelModule`, from the environment. */
export const zitadelOptions = (env: Env, observer: ZitadelObserver): ZitadelOptions => ({
  ...env.zitadel,
  redirectUri: env.zitadel.callbackUrl,
  postLogoutRedirectUri: env.zitadel.postLogoutUrl,
  mountPath: env.basePath,
  observer,
  explainRefusals: !env.production,
  secret: env.session.secrets,
  salt: env.session.salt,
  session: env.session,
  signOutPages: { done: `${env.basePath}/auth/logout/success`, failed: `${env.basePath}/auth/logout/error` },
  apiProjectId: env.api?.projectId,
  uiLocales: ({ headers }) => wantedLanguage(headers['accept-language']),
  bearer: env.bearer,
  redisUrl: env.redisUrl,
  auth: {
    pages: { signIn: `${env.basePath}/auth/login`, error: `${env.basePath}/auth/error` },
    failurePage: signInFailurePage,
  },
});
