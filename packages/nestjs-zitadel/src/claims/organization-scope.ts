import { SignInFailed } from '@mridang/nestjs-auth';

/** Ids are numbers. */
const ID = /^\d{1,32}$/;

/** Letters and digits of any script: Zitadel makes a domain of its own from the name of each organization. */
const DOMAIN = /^[\p{L}\p{M}\p{N}._-]{1,253}$/u;

/**
 * Zitadel's reserved scope for a sign-in at one organization, by its id or its primary domain: only its members may sign in
 * then. `undefined` where none is asked for; throws `SignInFailed` for what can be none, since a restriction that was
 * dropped would let in anybody.
 */
export function organizationScope(organization: unknown): string | undefined {
  if (organization === undefined) return undefined;
  const value = typeof organization === 'string' ? organization : '';
  if (ID.test(value)) return `urn:zitadel:iam:org:id:${value}`;
  if (!DOMAIN.test(value)) throw new SignInFailed('organization_unknown');
  return `urn:zitadel:iam:org:domain:primary:${value}`;
}
