import { deepFrozen, type AuthUser } from '@mridang/nestjs-auth';
import {
  audienceScope,
  organizationFrom,
  roleGrantsFrom,
  ROLES,
  rolesFrom,
  text,
  userFrom,
  type Organization,
  type ZitadelClaims,
} from '../claims/claims.js';
import { actingIn, actingUser, type Acting, type OrganizationsMode } from '../organizations/acting.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/token-checks.js';
import type { Caller } from './caller.js';
import { INACTIVE } from './introspection-log.js';

/** What a token has to match. */
export interface Expectation {
  issuer: string;
  clientId: string;
  /** required audience; without it, the project that the scopes of the token name */
  projectId: string | undefined;
  /** whether tokens with an actor are accepted (RFC 8693 4.1) */
  impersonation: boolean;
  /** where the roles of the caller count; default `any` */
  organizations?: OrganizationsMode;
  /** whether tokens without an application are accepted: personal access tokens */
  withoutClient: boolean;
  /** whether the caller has a `user`. Default false */
  withUser?: boolean | undefined;
}

/** The introspection response is not one of RFC 7662 2.2: nothing is known about the token. */
export class InvalidAnswer extends Error {
  constructor(reason: string) {
    super(`Invalid introspection response: ${reason}`);
    this.name = 'InvalidAnswer';
  }
}

/** `error` for an unknown client: the first by RFC 6749 5.2, the second by the introspection endpoint of Zitadel. */
const CLIENT_ERRORS = ['invalid_client', 'unauthorized_client'];

/** The introspection response has another status than 200: nothing is known about the token. */
export class IntrospectionRefused extends Error {
  /** whether only this request was refused: neither Zitadel nor the key has a problem */
  readonly isAboutThisRequest: boolean;
  /** whether Zitadel refuses the key of this API */
  readonly isKeyRefused: boolean;

  /**
   * @param error of the response (RFC 6749 5.2), unvalidated
   * @param date `Date` header of the response
   */
  constructor(
    readonly status: number,
    error: unknown,
    date?: string,
  ) {
    const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
    const answer = `status ${status}${code ? `, ${code}` : ''}`;
    const isKeyRefused = code !== undefined && CLIENT_ERRORS.includes(code);
    super(
      isKeyRefused
        ? `Zitadel does not accept this API's key: ${likelyCause(date)} (${answer})`
        : `The introspection endpoint answered an error: ${answer}`,
    );
    this.name = 'IntrospectionRefused';
    this.isKeyRefused = isKeyRefused;
    this.isAboutThisRequest = status >= 400 && status < 500 && status !== 401 && !isKeyRefused;
  }
}

/** A clock difference of more seconds is part of the message. */
const NOTABLE_SECONDS = 5;

/** Zitadel does not say whether it refuses an assertion for its times or for its key. */
function likelyCause(date: string | undefined): string {
  const aheadSeconds = Math.round((Date.now() - Date.parse(date ?? '')) / 1000);
  if (!(Math.abs(aheadSeconds) > NOTABLE_SECONDS)) return 'check the key and the client ID';
  const side = aheadSeconds > 0 ? 'ahead of' : 'behind';
  return `the clock of this machine is ${Math.abs(aheadSeconds)} s ${side} Zitadel's. Set it right, then check the key and the client ID`;
}

/**
 * Validates an introspection response. Returns the caller of an active token, or why the token is refused: besides `active`, the issuer, the
 * times and the audience are checked (RFC 9700 4.10).
 *
 * @throws `InvalidAnswer`
 */
export function callerIn(answer: unknown, expected: Expectation): Caller | { refused: string } {
  if (typeof answer !== 'object' || answer === null) throw new InvalidAnswer('not a JSON object');
  const claims = answer as Record<string, unknown>;
  if (claims['active'] === false) return { refused: INACTIVE };
  if (claims['active'] !== true) throw new InvalidAnswer('`active` is neither true nor false');

  const now = Date.now() / 1000;
  const { iss, exp, nbf, sub, token_type: tokenType } = claims;
  if (iss !== undefined && iss !== expected.issuer) return { refused: 'iss is another issuer' };
  if (exp !== undefined && !(typeof exp === 'number' && exp > now - CLOCK_TOLERANCE_SECONDS))
    return { refused: 'expired' };
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + CLOCK_TOLERANCE_SECONDS))
    return { refused: 'not valid yet (nbf)' };
  if (tokenType !== undefined && !(typeof tokenType === 'string' && tokenType.toLowerCase() === 'bearer'))
    return { refused: 'token_type is not Bearer' };
  if (typeof sub !== 'string' || sub === '') return { refused: 'sub is missing' };
  const scopes = typeof claims['scope'] === 'string' ? claims['scope'].split(' ').filter(Boolean) : [];
  if (!hasAudience(expected, listOf(claims['aud']), scopes)) return { refused: 'aud is another project' };

  if (claims['act'] !== undefined && !expected.impersonation)
    return { refused: 'it has an actor, and impersonation is not accepted' };
  const clientId = text(claims['client_id']);
  if (clientId === undefined && !expected.withoutClient)
    return { refused: 'client_id is missing, and tokens without an application are not accepted' };

  const organization = organizationFrom(claims);
  return Object.freeze({
    sub,
    clientId: clientId ?? '',
    username: text(claims['username']),
    scopes: Object.freeze(scopesIn(scopes)),
    ...rolesOfCaller(claims, organization, expected.organizations),
    organization: organization && Object.freeze(organization),
    authenticatedAt: numberOf(claims['auth_time']),
    factors: Object.freeze(listOf(claims['amr'])),
    expiresAt: exp,
    actor: actorIn(claims['act']),
    ...(expected.withUser ? { user: userOfCaller({ ...claims, sub }, expected.organizations) } : {}),
  });
}

function userOfCaller(claims: ZitadelClaims, mode: OrganizationsMode = 'any'): AuthUser {
  const user = userFrom(claims);
  return deepFrozen(mode === 'any' ? user : actingUser(user, undefined));
}

function rolesOfCaller(
  claims: Record<string, unknown>,
  home: Organization | undefined,
  mode: OrganizationsMode = 'any',
): Pick<Caller, 'roles' | 'roleGrants' | keyof Acting> {
  if (mode === 'any') return { roles: Object.freeze(rolesFrom(claims)) };
  const roleGrants = roleGrantsFrom(claims[ROLES]);
  const members = { ...actingIn(roleGrants, home), roleGrants };
  for (const member of Object.values(members)) Object.freeze(member);
  return members;
}

function hasAudience({ clientId, projectId }: Expectation, audiences: string[], scopes: string[]): boolean {
  if (audiences.includes(clientId)) return true;
  if (projectId) return audiences.includes(projectId);
  // Zitadel calls a token active only if its audience has the project of this application. Its ID is not configured here.
  return audiences.some((id) => scopes.includes(audienceScope(id)));
}

/**
 * Returns the scopes of a token without the ones that Zitadel adds for every role of the project, which do not mean that the caller has the
 * role. Drops everything after the first of them, since a role key may contain spaces.
 */
function scopesIn(words: readonly string[]): string[] {
  const first = words.findIndex((word) => word.startsWith(ROLE_SCOPE));
  return first < 0 ? [...words] : words.slice(0, first);
}

const ROLE_SCOPE = 'urn:zitadel:iam:org:project:role:';

function actorIn(act: unknown): string | undefined {
  return typeof act === 'object' && act !== null ? text((act as { sub?: unknown }).sub) : undefined;
}

const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);

const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
