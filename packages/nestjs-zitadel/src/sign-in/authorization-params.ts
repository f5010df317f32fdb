import { SignInFailed } from '@mridang/nestjs-auth';
import { withOrganization } from '../claims/claims.js';

/** OpenID Connect Core 3.1.2.1, and `create` of Initiating User Registration 1.0. */
const prompts = ['none', 'login', 'select_account', 'consent', 'create'];

const MAX_LOGIN_HINT_LENGTH = 255;

/** Language tags (RFC 5646), separated by spaces. */
const UI_LOCALES = /^[a-z]{2,8}(-[a-z\d]{1,8})*( [a-z]{2,8}(-[a-z\d]{1,8})*){0,9}$/i;

/**
 * Returns the parameters of the authorization request that a caller may choose: `login_hint`, `prompt`, `ui_locales`, `max_age` and
 * `organization`. Invalid values are ignored.
 *
 * @param scopes requested in any case
 * @throws `SignInFailed` for an invalid organization: without the restriction, members of every organization could sign in
 */
export function authorizationParams(
  given: Readonly<Record<string, unknown>>,
  scopes: readonly string[],
): Record<string, string> {
  const organization = organizationScope(given['organization']);
  const prompt = prompts.find((known) => known === given['prompt']);
  const maxAge = matching(/^\d{1,9}$/, given['max_age']);
  // `prompt=none` forbids a login page, and `max_age=0` requires one.
  const isContradiction = prompt === 'none' && Number(maxAge) === 0;
  const accepted = {
    login_hint: loginHint(given['login_hint']),
    prompt,
    ui_locales: matching(UI_LOCALES, given['ui_locales']),
    max_age: isContradiction ? undefined : maxAge,
    scope: organization && withOrganization(scopes, organization).join(' '),
  };
  return Object.fromEntries(
    Object.entries(accepted).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

const matching = (pattern: RegExp, value: unknown) =>
  typeof value === 'string' && pattern.test(value) ? value : undefined;

const loginHint = (value: unknown) =>
  typeof value === 'string' &&
  value !== '' &&
  value.length <= MAX_LOGIN_HINT_LENGTH &&
  // eslint-disable-next-line no-control-regex -- a login name has no control characters
  !/[\u0000-\u001f\u007f]/.test(value)
    ? value
    : undefined;

const ORGANIZATION_ID = /^\d{1,32}$/;

/** Letters and digits of any script: Zitadel derives a domain from the name of each organization. */
const ORGANIZATION_DOMAIN = /^[\p{L}\p{M}\p{N}._-]{1,253}$/u;

/** Returns the reserved scope of Zitadel that allows only members of an organization to sign in, by its id or its primary domain. */
function organizationScope(organization: unknown): string | undefined {
  if (organization === undefined) return undefined;
  const value = typeof organization === 'string' ? organization : '';
  if (ORGANIZATION_ID.test(value)) return `urn:zitadel:iam:org:id:${value}`;
  if (!ORGANIZATION_DOMAIN.test(value)) throw new SignInFailed('organization_unknown');
  return `urn:zitadel:iam:org:domain:primary:${value}`;
}
