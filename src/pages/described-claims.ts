import type { TextKey } from '../texts/en.js';
import { isTextKey } from '../texts/text.js';
import { METADATA, metadataFrom, projectIdIn, roleGrantsFrom, ROLES } from '@mridang/nestjs-zitadel';

/** A claim with an explanation. */
export interface DescribedClaim {
  name: string;
  /** text that explains it */
  about: TextKey;
  /** of a claim with the roles of a project */
  project?: string;
  /** the value, one or more lines */
  lines: string[];
  /** Unix time in seconds */
  seconds?: number;
}

/** Claims whose text key is not `claim.` and their name. */
const abouts: Record<string, TextKey> = {
  [ROLES]: 'claim.roles',
  [METADATA]: 'claim.metadata',
  'urn:zitadel:iam:org:id': 'claim.organizationAsked',
  'urn:zitadel:iam:org:domain:primary': 'claim.organizationAsked',
  'urn:zitadel:iam:user:resourceowner:id': 'claim.organizationId',
  'urn:zitadel:iam:user:resourceowner:name': 'claim.organizationName',
  'urn:zitadel:iam:user:resourceowner:primary_domain': 'claim.organizationDomain',
};

function aboutOf(name: string): TextKey {
  const key = Object.hasOwn(abouts, name) ? abouts[name] : `claim.${name}`;
  return key !== undefined && isTextKey(key) ? key : 'claim.custom';
}

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
      about: project ? 'claim.projectRoles' : aboutOf(name),
      ...(project ? { project } : {}),
      ...(isTime ? { seconds: value } : {}),
      lines: linesOf(name, value),
    };
  });
}

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
