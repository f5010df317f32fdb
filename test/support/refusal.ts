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

/** What `refusalOf` gives for a sign-in that ended for that reason. */
export const refused = (error: Reason) => ({ path: '/auth/error', error, status: statuses[error] });

/** How a sign-in ended that was refused. */
export const refusalOf = ({ url, status }: Page) => ({
  path: url.pathname,
  error: url.searchParams.get('error'),
  status,
});
