import { idFor } from '../storage/ids.js';
import type { Project } from './applications.js';
import type { Organization } from './organizations.js';
import {
  requestedGrantingOrganizationIds,
  requestedOrganizationDomains,
  requestedOrganizationIds,
  requestedProjectIds,
  requestedRoles,
  scope,
} from './scopes.js';
import type { SandboxUser } from './users.js';

export type Claims = Record<string, unknown>;

const profileUpdatedAt = 1767225600;

/** Roles with the organizations that granted them: `{"admin": {"<organization id>": "<primary domain>"}}`. */
type Roles = Record<string, Record<string, string>>;

/** The claims of the scopes `profile`, `email` and `phone`. As in Zitadel, unknown and false values are left out. */
export function profileClaims(user: SandboxUser, scopes: string[]): Claims {
  return withoutUnknown({
    ...(scopes.includes('profile') && profileOf(user)),
    ...(scopes.includes('email') && { email: user.email, email_verified: user.emailVerified || undefined }),
    ...(scopes.includes('phone') && {
      phone_number: user.phone,
      phone_number_verified: user.phoneVerified || undefined,
    }),
  });
}

function profileOf(user: SandboxUser): Claims {
  const machine = {
    name: user.displayName,
    preferred_username: user.loginName,
    updated_at: profileUpdatedAt,
  };
  if (user.kind === 'machine') return machine;
  const { givenName, familyName, nickname, picture, gender, locale = null } = user;
  return { ...machine, given_name: givenName, family_name: familyName, nickname, picture, gender, locale };
}

/** Zitadel's claims that depend on a scope alone: metadata, resource owner, groups, organization. */
export function scopedClaims(user: SandboxUser, scopes: string[]): Claims {
  const organizationIds = requestedOrganizationIds(scopes);
  return {
    ...(scopes.includes(scope.metadata) &&
      user.metadata && { [scope.metadata]: encodedMetadata(user.metadata) }),
    ...((scopes.includes(scope.resourceOwner) || organizationIds.length > 0) &&
      resourceOwnerClaims(user.home)),
    ...(scopes.includes(scope.groupNames) && user.groups && { [scope.groupNames]: user.groups }),
    ...(scopes.includes(scope.groups) && user.groups && { [scope.groups]: groupsNamed(user.groups) }),
    ...lastValueClaim('urn:zitadel:iam:org:id', organizationIds),
    ...lastValueClaim('urn:zitadel:iam:org:domain:primary', requestedOrganizationDomains(scopes)),
  };
}

function encodedMetadata(metadata: Record<string, string>): Record<string, string> {
  const encoded = Object.entries(metadata).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64url'),
  ]);
  return Object.fromEntries(encoded) as Record<string, string>;
}

function groupsNamed(names: string[]): { id: string; name: string }[] {
  return names.map((name) => ({ id: idFor(`group ${name}`), name }));
}

function resourceOwnerClaims({ id, name, primaryDomain }: Organization): Claims {
  return {
    [`${scope.resourceOwner}:id`]: id,
    [`${scope.resourceOwner}:name`]: name,
    [`${scope.resourceOwner}:primary_domain`]: primaryDomain,
  };
}

function lastValueClaim(claim: string, values: string[]): Claims {
  const value = values.at(-1);
  return value === undefined ? {} : { [claim]: value };
}

/**
 * The role claims; none when the user has no role. `project` is the project of the application (service users have
 * none). `ownProjectOnly` leaves out the other projects of the audience, as introspection does.
 */
export function roleClaims(
  user: SandboxUser,
  scopes: string[],
  project: Project | undefined,
  { ownProjectOnly = false } = {},
): Claims {
  const claims: Claims = {};
  for (const projectId of projectsWithRoles(scopes, project, ownProjectOnly)) {
    const roles = rolesOf(user, scopes, projectId);
    if (Object.keys(roles).length === 0) continue;
    if (projectId === project?.id) claims['urn:zitadel:iam:org:project:roles'] = roles;
    claims[`urn:zitadel:iam:org:project:${projectId}:roles`] = roles;
  }
  return claims;
}

function projectsWithRoles(
  scopes: string[],
  project: Project | undefined,
  ownProjectOnly: boolean,
): string[] {
  if (ownProjectOnly) return project ? [project.id] : [];
  const requested = requestedRoles(scopes).length > 0;
  const asked = requested || scopes.includes(scope.allRoles) ? requestedProjectIds(scopes) : [];
  const own = project && (project.roleAssertion || requested || asked.length > 0);
  return [...new Set(own ? [...asked, project.id] : asked)];
}

function rolesOf(user: SandboxUser, scopes: string[], projectId: string): Roles {
  const requested = requestedRoles(scopes);
  const granting = requestedGrantingOrganizationIds(scopes);
  // no prototype, as a role may have any name
  const roles = Object.create(null) as Roles;
  for (const { organization, projectId: grantedIn, roles: granted, active = true } of user.authorizations) {
    const { id, primaryDomain } = organization;
    if (!active || grantedIn !== projectId || (granting.length > 0 && !granting.includes(id))) continue;
    const wanted = granted.filter((role) => requested.length === 0 || requested.includes(role));
    for (const role of wanted) roles[role] = { ...roles[role], [id]: primaryDomain };
  }
  return roles;
}

function withoutUnknown(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}
