import type { TextKey } from '../texts/en.js';
import { METADATA, metadataFrom, projectIdIn, roleGrantsFrom, ROLES } from '@mridang/nestjs-zitadel';

/** A claim as people can read it. */
export interface DescribedClaim {
  name: string;
  /** what the claim means */
  about: TextKey;
  /** the project whose roles it has */
  project?: string;
  /** the value, in as many lines as it takes */
  lines: string[];
  /** a point in time, seconds since 1970 */
  seconds?: number;
}

const abouts: Record<string, TextKey> = {
  iss: 'claim.iss',
  sub: 'claim.sub',
  aud: 'claim.aud',
  azp: 'claim.azp',
  client_id: 'claim.client_id',
  exp: 'claim.exp',
  iat: 'claim.iat',
  auth_time: 'claim.auth_time',
  updated_at: 'claim.updated_at',
  nbf: 'claim.nbf',
  jti: 'claim.jti',
  act: 'claim.act',
  acr: 'claim.acr',
  groups: 'claim.groups',
  nonce: 'claim.nonce',
  at_hash: 'claim.at_hash',
  sid: 'claim.sid',
  amr: 'claim.amr',
  name: 'claim.name',
  given_name: 'claim.given_name',
  family_name: 'claim.family_name',
  nickname: 'claim.nickname',
  gender: 'claim.gender',
  locale: 'claim.locale',
  picture: 'claim.picture',
  preferred_username: 'claim.preferred_username',
  email: 'claim.email',
  email_verified: 'claim.email_verified',
  phone_number: 'claim.phone_number',
  phone_number_verified: 'claim.phone_number_verified',
  [ROLES]: 'claim.roles',
  'urn:zitadel:iam:org:id': 'claim.organizationAsked',
  'urn:zitadel:iam:org:domain:primary': 'claim.organizationAsked',
  'urn:zitadel:iam:user:resourceowner:id': 'claim.organizationId',
  'urn:zitadel:iam:user:resourceowner:name': 'claim.organizationName',
  'urn:zitadel:iam:user:resourceowner:primary_domain': 'claim.organizationDomain',
  [METADATA]: 'claim.metadata',
};

/** Claims that are NumericDates (RFC 7519 2). */
const times = ['exp', 'iat', 'nbf', 'auth_time', 'updated_at'];

/**
 * Explains claims, in the order they came. Values are as Zitadel sent them; metadata are decoded. A claim that is `null`, as the
 * `locale` of a user who has none, is left out.
 */
export function describedClaims(claims: Record<string, unknown>): DescribedClaim[] {
  const there = Object.entries(claims).filter(([, value]) => value !== null);
  return there.map(([name, value]) => {
    const project = projectIdIn(name);
    const isTime = times.includes(name) && typeof value === 'number' && isDate(value);
    return {
      name,
      about: project ? 'claim.projectRoles' : Object.hasOwn(abouts, name) ? (abouts[name] ?? custom) : custom,
      ...(project ? { project } : {}),
      ...(isTime ? { seconds: value } : {}),
      lines: linesOf(name, value),
    };
  });
}

const custom: TextKey = 'claim.custom';

/** The range of `Date`. */
const isDate = (seconds: number) => Math.abs(seconds) <= 8.64e12;

function linesOf(name: string, value: unknown): string[] {
  if (name === METADATA) return Object.entries(metadataFrom(value)).map(([key, text]) => `${key}: ${text}`);
  if (name === ROLES || projectIdIn(name)) {
    return roleGrantsFrom(value).map(
      ({ role, organizations }) =>
        `${role}: ${organizations.map(({ id, domain }) => domain ?? id).join(', ')}`,
    );
  }
  if (Array.isArray(value)) return value.map(lineOf);
  return [lineOf(value)];
}

const lineOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value, null, 1));
