import { decodeJwt } from 'jose';
import type { AuthUser } from '@mridang/nestjs-auth';
import type { ZitadelOptions } from '../zitadel.options.js';

/** Requests the roles of the user in the projects of the audience. */
export const ROLES_SCOPE = 'urn:zitadel:iam:org:projects:roles';

/** A claim, and the scope that requests it. */
export const METADATA = 'urn:zitadel:iam:user:metadata';

/** Returns the scope that adds a project to the audience of a token. */
export const audienceScope = (projectId: string) => `urn:zitadel:iam:org:project:id:${projectId}:aud`;

const RESOURCE_OWNER = 'urn:zitadel:iam:user:resourceowner';

/** Scopes for identity, refresh token, roles and organization. */
const usualScopes = ['openid', 'profile', 'email', 'offline_access', RESOURCE_OWNER, ROLES_SCOPE];

/** Returns the scopes of a sign-in. `apiProjectId` is an additional audience of the access tokens. */
export const scopesFor = ({
  scopes = usualScopes,
  userMetadata,
  apiProjectId,
}: Pick<ZitadelOptions, 'scopes' | 'userMetadata' | 'apiProjectId'>): string[] => [
  ...new Set([
    ...scopes,
    ...(userMetadata ? [METADATA] : []),
    ...(apiProjectId ? [audienceScope(apiProjectId)] : []),
  ]),
];

/** Returns the scopes of a sign-in for members of an organization: with the claims about the user's own, which it is compared with. */
export const withOrganization = (scopes: readonly string[], organization: string): string[] => [
  ...new Set([...scopes, RESOURCE_OWNER, organization]),
];

/** The characters of a scope (RFC 6749 3.3). They need no escape in a header. */
export const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Two of these in a request are an error, and a sign-in may add one. */
const ORGANIZATION_SCOPE = /^urn:zitadel:iam:org:(id|domain:primary):/;

/** Returns what the scopes of all sign-ins lack, as the end of the sentence "expected …", or `undefined`. */
export function scopesProblem(scopes: readonly string[]): string | undefined {
  if (!scopes.includes('openid')) return 'openid among them (OpenID Connect Core 3.1.2.1)';
  if (new Set(scopes).size < scopes.length) return 'each scope once';
  const invalid = scopes.find((scope) => !SCOPE.test(scope));
  if (invalid !== undefined) return `valid scopes (RFC 6749 3.3), which ${JSON.stringify(invalid)} is not`;
  const limited = scopes.find((scope) => ORGANIZATION_SCOPE.test(scope));
  return limited && `none that limits every sign-in to an organization, as ${limited} does`;
}

export const ROLES = 'urn:zitadel:iam:org:project:roles';
const PROJECT_ROLES = /^urn:zitadel:iam:org:project:([^:]+):roles$/;

/** The claims of a userinfo response or an ID token. Only `sub` is always there. */
export interface ZitadelClaims {
  sub: string;
  [claim: string]: unknown;
}

/** An organization of Zitadel. */
export interface Organization {
  id: string;
  name?: string;
  domain?: string;
}

/** A role of the user, and the organizations that grant it. */
export interface RoleGrant {
  role: string;
  organizations: Organization[];
}

declare module '@mridang/nestjs-auth' {
  interface AuthUserAugmentation {
    emailVerified: boolean;
    username?: string;
    /** roles in the project of this application, as `user.roles` and `@RequireRoles()` use them */
    roleGrants: RoleGrant[];
    /** by project id, of every project in the audience: a role of another project grants nothing here */
    projectRoles: Record<string, RoleGrant[]>;
    organization?: Organization;
    /** with `organizations: 'active'`: those that grant the user roles; `roles` are those of the active one */
    organizations?: readonly Organization[];
    /** with `organizations: 'active'`; missing where the user has to choose one, or has no roles */
    activeOrganization?: Organization | undefined;
    /** with `organizations: 'active'`: the roles of all organizations */
    allRoles?: string[];
    metadata: Record<string, string>;
  }
  interface SessionAugmentation {
    user: AuthUser;
  }
}

/** Returns the claims of an ID token that was verified when it was received; empty without a token. */
export function claimsIn(idToken: string | undefined): Record<string, unknown> {
  return idToken === undefined ? {} : decodeJwt(idToken);
}

/** Returns the `sid` of an ID token: the session at Zitadel. */
export function sidIn(idToken: string | undefined): string | undefined {
  const { sid } = claimsIn(idToken);
  return typeof sid === 'string' ? sid : undefined;
}

/** Returns `aud` of an ID token: at Zitadel the clients of the project, the project, and the projects that scopes of the sign-in name. */
export function audienceIn(idToken: string | undefined): string[] {
  return [claimsIn(idToken)['aud'] ?? []].flat().map(String);
}

/** Returns the seconds from the login of the user to the issue of an ID token; `undefined` where it has no `auth_time`. */
export function loginAgeIn(idToken: string | undefined): number | undefined {
  const { auth_time: loggedInAt, iat } = claimsIn(idToken);
  return typeof loggedInAt === 'number' && typeof iat === 'number'
    ? Math.max(0, iat - loggedInAt)
    : undefined;
}

/** Returns `auth_time` of an ID token: when the user has logged in by Zitadel's clock, seconds since 1970. A refresh does not change it. */
export function authenticatedAtIn(idToken: string | undefined): number | undefined {
  const { auth_time: loggedInAt } = claimsIn(idToken);
  return typeof loggedInAt === 'number' ? loggedInAt : undefined;
}

/** Returns the user of a session from the claims of Zitadel. */
export function userFrom(claims: ZitadelClaims): AuthUser {
  const roleGrants = roleGrantsFrom(claims[ROLES]);
  const organization = organizationFrom(claims);
  const username = text(claims['preferred_username']);
  return {
    id: claims.sub,
    name: text(claims['name']) ?? username ?? null,
    email: text(claims['email']) ?? null,
    image: text(claims['picture']) ?? null,
    emailVerified: claims['email_verified'] === true,
    ...(username ? { username } : {}),
    roles: rolesFrom(claims),
    roleGrants,
    projectRoles: projectRolesFrom(claims),
    ...(organization ? { organization } : {}),
    metadata: metadataFrom(claims[METADATA]),
  };
}

/** Returns the roles of the user in the project of this application. */
export const rolesFrom = (claims: Record<string, unknown>): string[] => Object.keys(record(claims[ROLES]));

/** Parses a roles claim: `{role: {organization id: primary domain}}`. */
export function roleGrantsFrom(claim: unknown): RoleGrant[] {
  return Object.entries(record(claim)).map(([role, organizations]) => ({
    role,
    organizations: Object.entries(record(organizations)).map(([id, domain]) => ({
      id,
      ...named('domain', domain),
    })),
  }));
}

/** Returns the project id in the name of a roles claim, if there is one. */
export const projectIdIn = (claim: string): string | undefined => PROJECT_ROLES.exec(claim)?.[1];

/** Parses the roles claims that have a project id in their name. */
function projectRolesFrom(claims: ZitadelClaims): Record<string, RoleGrant[]> {
  return Object.fromEntries(
    Object.entries(claims).flatMap(([claim, value]) => {
      const projectId = projectIdIn(claim);
      return projectId ? [[projectId, roleGrantsFrom(value)]] : [];
    }),
  );
}

/** Returns the organization that the user belongs to. */
export function organizationFrom(claims: Record<string, unknown>): Organization | undefined {
  const id = text(claims[`${RESOURCE_OWNER}:id`]);
  if (!id) return undefined;
  return {
    id,
    ...named('name', claims[`${RESOURCE_OWNER}:name`]),
    ...named('domain', claims[`${RESOURCE_OWNER}:primary_domain`]),
  };
}

/** Decodes the metadata claim: Zitadel encodes each value in base64url without padding. */
export function metadataFrom(claim: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(claim)).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, Buffer.from(value, 'base64url').toString('utf8')]] : [],
    ),
  );
}

/** Returns `value` when it is a string that is not blank. */
export const text = (value: unknown) =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

const named = <Key extends 'name' | 'domain'>(key: Key, value: unknown) =>
  (text(value) ? { [key]: value } : {}) as { [K in Key]?: string };

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
