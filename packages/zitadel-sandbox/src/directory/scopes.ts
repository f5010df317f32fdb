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

const plain: string[] = [
  ...['openid', 'profile', 'email', 'phone', 'address', 'offline_access'],
  ...[scope.allRoles, scope.metadata, scope.resourceOwner, scope.groupNames, scope.groups],
];
const audience = new RegExp(`^${prefix.projectAudience}(.+):aud$`);

export function scopesFrom(parameter: string | undefined): string[] {
  return (parameter ?? '').split(' ').filter(Boolean);
}

/**
 * The scopes that a request may have; one that is empty, or asks for unknown ones only, is fine.
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

/** With the scopes of all roles where the project asserts them, unless the request says which it wants. */
export function withAssertedRoles(scopes: string[], project: Project): string[] {
  const isAsserted = project.roleAssertion && rolesAskedFor(scopes).length === 0;
  return [...new Set([...scopes, ...(isAsserted ? roleScopesOf(project) : [])])];
}

/** The scopes Zitadel knows; it drops all others without a word. A role scope must name a role of the project. */
export function knownScopes(requested: string[], project: Project): string[] {
  return requested.filter(
    (one) =>
      plain.includes(one) ||
      audience.test(one) ||
      [
        prefix.organizationId,
        prefix.organizationDomain,
        prefix.organizationRoles,
        prefix.identityProvider,
      ].some((start) => one.startsWith(start) && one !== start) ||
      rolesAskedFor([one]).some((role) => project.roles.includes(role)),
  );
}

export function rolesAskedFor(scopes: string[]): string[] {
  return after(prefix.role, scopes);
}

/** The scopes of all roles that exist now: what "Assert Roles on Authentication" adds to every login. */
export function roleScopesOf(project: Project): string[] {
  return project.roles.map((role) => prefix.role + role);
}

/** Project ids from `urn:zitadel:iam:org:project:id:{id}:aud`. */
export function projectsAskedFor(scopes: string[]): string[] {
  return scopes
    .map((one) => audience.exec(one)?.[1])
    .filter((id) => id !== undefined)
    .map((id) => (id === 'zitadel' ? defaultIds.zitadelProject : id));
}

export function organizationIdsAskedFor(scopes: string[]): string[] {
  return after(prefix.organizationId, scopes);
}

export function organizationDomainsAskedFor(scopes: string[]): string[] {
  return after(prefix.organizationDomain, scopes);
}

/** Ids of the organizations whose role grants alone are wanted; all if none is named. */
export function grantingOrganizationsAskedFor(scopes: string[]): string[] {
  return after(prefix.organizationRoles, scopes);
}

/** The only organization that may sign in, when a scope says so. Unknown and two different ones are errors. */
export function organizationAskedFor(scopes: string[], known: Organization[]): Organization | undefined {
  const byId = organizationIdsAskedFor(scopes).map((id) => known.find((one) => one.id === id));
  const byDomain = organizationDomainsAskedFor(scopes).map((domain) =>
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

function after(start: string, scopes: string[]): string[] {
  return scopes.filter((one) => one.startsWith(start)).map((one) => one.slice(start.length));
}

/**
 * Scopes as one text for oidc-provider's models. A role key, and with it a role scope, may have a blank in it, which
 * the `scope` of OAuth (RFC 6749 section 3.3) cannot tell from the one between two scopes.
 */
export function storedScope(scopes: string[]): string {
  return scopes.map((scope) => encodeURIComponent(scope)).join(' ');
}

/** The scopes in such a text. */
export function scopesStoredIn(stored: string | undefined): string[] {
  return (stored ?? '').split(' ').filter(Boolean).map(decodeURIComponent);
}
