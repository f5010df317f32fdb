import { contact, OidcError } from '../http/oidc.error.js';
import { defaultIds, type Project } from './applications.js';
import type { Organization } from './organizations.js';

const prefix = {
  role: 'urn:zitadel:iam:org:project:role:',
  projectAudience: 'urn:zitadel:iam:org:project:id:',
  organizationId: 'urn:zitadel:iam:org:id:',
  organizationDomain: 'urn:zitadel:iam:org:domain:primary:',
  organizationRoles: 'urn:zitadel:iam:org:roles:id:',
  identityProvider: 'urn:zitadel:iam:org:idp:id:',
} as const;

export const scope = {
  openid: 'openid',
  profile: 'profile',
  offlineAccess: 'offline_access',
  allRoles: 'urn:zitadel:iam:org:projects:roles',
  metadata: 'urn:zitadel:iam:user:metadata',
  resourceOwner: 'urn:zitadel:iam:user:resourceowner',
  groupNames: 'groups',
  groups: 'urn:zitadel:iam:user:groups',
} as const;

const fixedScopes: string[] = [
  ...['openid', 'profile', 'email', 'phone', 'address', 'offline_access'],
  ...[scope.allRoles, scope.metadata, scope.resourceOwner, scope.groupNames, scope.groups],
];
const audience = new RegExp(`^${prefix.projectAudience}(.+):aud$`);

export function scopesFrom(parameter: string | undefined): string[] {
  return (parameter ?? '').split(' ').filter(Boolean);
}

/**
 * The requested scopes that Zitadel knows. The result may be empty: an empty or unknown scope is not an error.
 *
 * @throws OidcError when the parameter is missing
 */
export function requestedScopes(parameter: string | undefined, project: Project): string[] {
  if (parameter === undefined) {
    throw new OidcError(
      'invalid_request',
      `The scope of your request is missing. Please ensure some scopes are requested. ${contact}`,
    );
  }
  return knownScopes(scopesFrom(parameter), project);
}

/** Adds the role scopes of the project when it asserts roles and the request names no role. */
export function withAssertedRoleScopes(scopes: string[], project: Project): string[] {
  const isAsserted = project.roleAssertion && requestedRoles(scopes).length === 0;
  return [...new Set([...scopes, ...(isAsserted ? roleScopesOf(project) : [])])];
}

/** Drops scopes that Zitadel does not know, without an error. A role scope must name a role of the project. */
export function knownScopes(requested: string[], project: Project): string[] {
  return requested.filter(
    (one) =>
      fixedScopes.includes(one) ||
      audience.test(one) ||
      [
        prefix.organizationId,
        prefix.organizationDomain,
        prefix.organizationRoles,
        prefix.identityProvider,
      ].some((start) => one.startsWith(start) && one !== start) ||
      requestedRoles([one]).some((role) => project.roles.includes(role)),
  );
}

export function requestedRoles(scopes: string[]): string[] {
  return suffixesOf(prefix.role, scopes);
}

/** The scopes of all roles of the project, which "Assert Roles on Authentication" adds to every login. */
export function roleScopesOf(project: Project): string[] {
  return project.roles.map((role) => prefix.role + role);
}

/** Project ids from `urn:zitadel:iam:org:project:id:{id}:aud`. */
export function requestedProjectIds(scopes: string[]): string[] {
  return scopes
    .map((one) => audience.exec(one)?.[1])
    .filter((id) => id !== undefined)
    .map((id) => (id === 'zitadel' ? defaultIds.zitadelProject : id));
}

export function requestedOrganizationIds(scopes: string[]): string[] {
  return suffixesOf(prefix.organizationId, scopes);
}

export function requestedOrganizationDomains(scopes: string[]): string[] {
  return suffixesOf(prefix.organizationDomain, scopes);
}

/** The organizations to whose role grants the request is limited; empty: no limit. */
export function requestedGrantingOrganizationIds(scopes: string[]): string[] {
  return suffixesOf(prefix.organizationRoles, scopes);
}

/** The organization to which a scope limits the login.
 *
 * @throws OidcError when the organization is unknown, or scopes name two different ones */
export function requestedOrganization(scopes: string[], known: Organization[]): Organization | undefined {
  const byId = requestedOrganizationIds(scopes).map((id) => known.find((one) => one.id === id));
  const byDomain = requestedOrganizationDomains(scopes).map((domain) =>
    known.find((one) => one.primaryDomain === domain),
  );
  const asked = [...byId, ...byDomain];
  const [first, ...others] = asked;
  if (asked.includes(undefined)) throw new OidcError('invalid_request', 'Errors.Org.NotFound');
  if (others.some((other) => other?.id !== first?.id)) {
    throw new OidcError('invalid_scope', 'Only one organization scope may be provided');
  }
  return first;
}

function suffixesOf(start: string, scopes: string[]): string[] {
  return scopes.filter((one) => one.startsWith(start)).map((one) => one.slice(start.length));
}

/**
 * Encodes scopes for oidc-provider's models, which separate them by spaces (RFC 6749 section 3.3): a Zitadel role key,
 * and so a role scope, may contain a space itself.
 */
export function encodeScopes(scopes: string[]): string {
  return scopes.map((scope) => encodeURIComponent(scope)).join(' ');
}

/** The reverse of `encodeScopes`. */
export function decodeScopes(stored: string | undefined): string[] {
  return (stored ?? '').split(' ').filter(Boolean).map(decodeURIComponent);
}
