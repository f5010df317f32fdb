import type { Page } from './browser.js';

const statuses = {
  access_denied: 403,
  user_locked: 403,
  user_not_found: 403,
  interaction_required: 401,
  login_timed_out: 400,
  login_already_used: 400,
  cookie_missing: 400,
  other_browser: 400,
  state_invalid: 400,
  check_failed: 400,
  provider_unavailable: 503,
  provider_misconfigured: 502,
  id_token_invalid: 502,
  userinfo_mismatch: 502,
  session_too_large: 502,
  login_too_old: 403,
  organization_unknown: 400,
  organization_mismatch: 403,
  provider_error: 502,
};

export type Reason = keyof typeof statuses;

/** The expected result of `refusalOf` for that reason. */
export const refused = (reason: Reason) => ({ reason, hasItsStatus: true });

/** How a sign-in failed: with a 5xx at the callback or the form, or on the error page, which can be opened by its address. */
export const refusalOf = ({ url, status, document }: Page) => {
  const reason = document.querySelector('[data-reason]')?.getAttribute('data-reason') as Reason | undefined;
  const expected = reason === undefined ? undefined : statuses[reason];
  const ofErrorPage = reason === 'access_denied' ? 403 : 400;
  return {
    reason,
    hasItsStatus:
      url.pathname === '/auth/error' ? status === ofErrorPage : status === expected && status >= 500,
  };
};
