import { organizationScope } from '../claims/organization-scope.js';

/** OpenID Connect Core 3.1.2.1, and `create` of Initiating User Registration 1.0. */
const prompts = ['none', 'login', 'select_account', 'consent', 'create'];

const MAX_LOGIN_HINT_LENGTH = 255;

/** Language tags (RFC 5646), separated by spaces. */
const UI_LOCALES = /^[a-z]{2,8}(-[a-z\d]{1,8})*( [a-z]{2,8}(-[a-z\d]{1,8})*){0,9}$/i;

/**
 * What whoever starts a sign-in may decide about it, as parameters of the authorization request: nothing but
 * `login_hint`, `prompt`, `ui_locales`, `max_age` and `organization`. What is not as it should be is left out, but for an
 * organization: without it anybody could sign in, so `organizationScope` throws.
 *
 * @param scopes asked for in any case
 */
export function authorizationParams(
  given: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
): Record<string, string> {
  const organization = organizationScope(given['organization']);
  const prompt = prompts.find((known) => known === given['prompt']);
  const maxAge = matching(/^\d{1,9}$/, given['max_age']);
  // To ask nothing and to ask again for a password exclude each other.
  const isContradiction = prompt === 'none' && Number(maxAge) === 0;
  const accepted = {
    login_hint: loginHint(text(given['login_hint'])),
    prompt,
    ui_locales: matching(UI_LOCALES, given['ui_locales']),
    max_age: isContradiction ? undefined : maxAge,
    scope: organization && [...scopes, organization].join(' '),
  };
  return Object.fromEntries(
    Object.entries(accepted).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

const matching = (pattern: RegExp, value: unknown) =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;

const loginHint = (value = '') =>
  // eslint-disable-next-line no-control-regex -- nobody's name has control characters
  value !== '' && value.length <= MAX_LOGIN_HINT_LENGTH && !/[\u0000-\u001f\u007f]/.test(value)
    ? value
    : undefined;
