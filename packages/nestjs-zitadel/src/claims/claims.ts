import { decodeJwt } from 'jose';
import type { AuthUser } from '@mridang/nestjs-auth';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';

/** Asks for the roles of the user in the projects the token is meant for. */
export const ROLES_SCOPE = 'urn:zitadel:iam:org:projects:roles';

/** A claim, and the scope that asks for it. */
export const METADATA = 'urn:zitadel:iam:user:metadata';

/** Asks for a token that is meant for a project. */
export const audienceScope = (projectId: string) => `urn:zitadel:iam:org:project:id:${projectId}:aud`;

/** Identity, refresh, and Zitadel's roles, metadata and organization. */
const scopes = [
  'openid',
  'profile',
  'email',
  'offline_access',
  METADATA,
  'urn:zitadel:iam:user:resourceowner',
  ROLES_SCOPE,
];

/** The scopes this application asks for. With an API of another project its access tokens are meant for that, too. */
export const scopesFor = ({
  userMetadata,
  apiProjectId,
}: Pick<ResolvedZitadelOptions, 'userMetadata' | 'apiProjectId'>) => [
  ...scopes.filter((scope) => scope !== METADATA || userMetadata),
  ...(apiProjectId ? [audienceScope(apiProjectId)] : []),
];

export const ROLES = 'urn:zitadel:iam:org:project:roles';
const PROJECT_ROLES = /^urn:zitadel:iam:org:project:([^:]+):roles$/;
const ORGANIZATION = 'urn:zitadel:iam:user:resourceowner';

/** Claims as Zitadel's userinfo endpoint and ID tokens carry them; nothing but `sub` is certain. */
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
    /** of this application's project: what `user.roles` and `@RequireRoles()` mean */
    roleGrants: RoleGrant[];
    /** by project id, this one's and others': a role of another project opens nothing here */
    projectRoles: Record<string, RoleGrant[]>;
    organization?: Organization;
    metadata: Record<string, string>;
  }
}

/** The claims of an ID token that was verified when it came; none where there is none. */
export function claimsIn(idToken: string | undefined): Record<string, unknown> {
  return idToken === undefined ? {} : decodeJwt(idToken);
}

/** The session at Zitadel that an ID token is about. */
export function sidIn(idToken: string | undefined): string | undefined {
  const { sid } = claimsIn(idToken);
  return typeof sid === 'string' ? sid : undefined;
}

/** The user this application works with, from Zitadel's claims. */
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

/** The names of the user's roles in this application's project. */
export const rolesFrom = (claims: Record<string, unknown>): string[] => Object.keys(record(claims[ROLES]));

/** Zitadel's `{role: {organization id: primary domain}}`. */
export function roleGrantsFrom(claim: unknown): RoleGrant[] {
  return Object.entries(record(claim)).map(([role, organizations]) => ({
    role,
    organizations: Object.entries(record(organizations)).map(([id, domain]) => ({
      id,
      ...named('domain', domain),
    })),
  }));
}

/** The project whose roles a claim has, if the claim is named after one. */
export const projectIdIn = (claim: string): string | undefined => PROJECT_ROLES.exec(claim)?.[1];

/** The claims named after a project: this one's, and those of others the token is for. */
function projectRolesFrom(claims: ZitadelClaims): Record<string, RoleGrant[]> {
  return Object.fromEntries(
    Object.entries(claims).flatMap(([claim, value]) => {
      const projectId = projectIdIn(claim);
      return projectId ? [[projectId, roleGrantsFrom(value)]] : [];
    }),
  );
}

/** The organization the user belongs to. */
export function organizationFrom(claims: Record<string, unknown>): Organization | undefined {
  const id = text(claims[`${ORGANIZATION}:id`]);
  if (!id) return undefined;
  return {
    id,
    ...named('name', claims[`${ORGANIZATION}:name`]),
    ...named('domain', claims[`${ORGANIZATION}:primary_domain`]),
  };
}

/** Zitadel sends metadata values base64url-encoded without padding. */
export function metadataFrom(claim: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record(claim)).flatMap(([key, value]) =>
      typeof value === 'string' ? [[key, Buffer.from(value, 'base64url').toString('utf8')]] : [],
    ),
  );
}

/** `value` where it is a text, and not an empty one. */
export const text = (value: unknown) =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

const named = <Key extends 'name' | 'domain'>(key: Key, value: unknown) =>
  (text(value) ? { [key]: value } : {}) as { [K in Key]?: string };

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
