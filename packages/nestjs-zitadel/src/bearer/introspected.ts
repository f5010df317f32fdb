import { audienceScope, organizationFrom, rolesFrom, text } from '../claims/claims.js';
import { CLOCK_TOLERANCE_SECONDS } from '../tokens/clock-tolerance.js';
import type { Caller } from './caller.js';
import { INACTIVE } from './introspection-log.js';

/** What the answer has to match. */
export interface Expectation {
  issuer: string;
  clientId: string;
  /** without it, the project a token was asked for counts */
  projectId: string | undefined;
  /** tokens with which somebody acts for somebody else (RFC 8693 4.1) */
  impersonation: boolean;
  /** tokens that were issued to no application: personal access tokens */
  withoutClient: boolean;
}

/** The answer is none of RFC 7662 2.2: nothing is known about the token. */
export class AnswerUnusable extends Error {
  constructor(reason: string) {
    super(`The introspection answered nonsense: ${reason}`);
    this.name = 'AnswerUnusable';
  }
}

/**
 * Reads an introspection answer: the caller of an active token, or why the token does not count here. Only `active: true`
 * counts, and then issuer, times and audience are looked at once more (RFC 9700 4.10). Throws `AnswerUnusable`.
 */
export function introspected(answer: unknown, expected: Expectation): Caller | { rejected: string } {
  if (typeof answer !== 'object' || answer === null) throw new AnswerUnusable('no JSON object');
  const claims = answer as Record<string, unknown>;
  if (claims['active'] === false) return { rejected: INACTIVE };
  if (claims['active'] !== true) throw new AnswerUnusable('`active` is neither true nor false');

  const now = Date.now() / 1000;
  const { iss, exp, nbf, sub, token_type: tokenType } = claims;
  if (iss !== undefined && iss !== expected.issuer) return { rejected: 'of another issuer' };
  if (exp !== undefined && !(typeof exp === 'number' && exp > now - CLOCK_TOLERANCE_SECONDS))
    return { rejected: 'expired' };
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + CLOCK_TOLERANCE_SECONDS))
    return { rejected: 'not valid yet' };
  if (tokenType !== undefined && !(typeof tokenType === 'string' && tokenType.toLowerCase() === 'bearer'))
    return { rejected: 'no bearer token' };
  if (typeof sub !== 'string' || sub === '') return { rejected: 'about nobody' };
  const asked = typeof claims['scope'] === 'string' ? claims['scope'].split(' ').filter(Boolean) : [];
  if (!isMeantFor(expected, listOf(claims['aud']), asked)) return { rejected: 'meant for somebody else' };

  if (claims['act'] !== undefined && !expected.impersonation)
    return { rejected: 'that of somebody who acts for somebody else' };
  const clientId = text(claims['client_id']);
  if (clientId === undefined && !expected.withoutClient) return { rejected: 'issued to no application' };

  const organization = organizationFrom(claims);
  return Object.freeze({
    sub,
    clientId: clientId ?? '',
    username: text(claims['username']),
    scopes: Object.freeze(scopesIn(asked)),
    roles: Object.freeze(rolesFrom(claims)),
    organization: organization && Object.freeze(organization),
    authenticatedAt: numberOf(claims['auth_time']),
    expiresAt: exp,
    actor: actorIn(claims['act']),
  });
}

function isMeantFor({ clientId, projectId }: Expectation, audiences: string[], scopes: string[]): boolean {
  if (audiences.includes(clientId)) return true;
  if (projectId) return audiences.includes(projectId);
  // Zitadel calls a token active for this application only if it is meant for its project, whose ID nobody has told us.
  return audiences.some((id) => scopes.includes(audienceScope(id)));
}

/**
 * The scopes of a token. Zitadel adds one for each role of the project, whoever has it, so they say nothing of the caller; nor
 * does what stands behind the first of them, since a role key may have blanks.
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
