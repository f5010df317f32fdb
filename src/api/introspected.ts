import { audienceScope, organizationFrom, rolesFrom, text } from '../zitadel/claims.js';
import type { Caller } from './caller.js';

/** What the answer has to match. */
export interface Expectation {
  issuer: string;
  clientId: string;
  /** without it, the project a token was asked for counts */
  projectId: string | undefined;
}

/** The answer is none of RFC 7662 2.2: nothing is known about the token. */
export class AnswerUnusable extends Error {
  constructor(reason: string) {
    super(`The introspection answered nonsense: ${reason}`);
    this.name = 'AnswerUnusable';
  }
}

/** For clocks that differ. */
const SKEW_SECONDS = 60;

/**
 * Reads an introspection answer: the caller of an active token, or why the token does not count here. Only `active: true`
 * counts, and then issuer, times and audience are looked at once more (RFC 9700 4.10). Throws `AnswerUnusable`.
 */
export function introspected(answer: unknown, expected: Expectation): Caller | { rejected: string } {
  if (typeof answer !== 'object' || answer === null) throw new AnswerUnusable('no JSON object');
  const claims = answer as Record<string, unknown>;
  if (claims['active'] === false) return { rejected: 'inactive' };
  if (claims['active'] !== true) throw new AnswerUnusable('`active` is neither true nor false');

  const now = Date.now() / 1000;
  const { iss, exp, nbf, sub, token_type: tokenType } = claims;
  if (iss !== undefined && iss !== expected.issuer) return { rejected: 'of another issuer' };
  if (exp !== undefined && !(typeof exp === 'number' && exp > now)) return { rejected: 'expired' };
  if (nbf !== undefined && !(typeof nbf === 'number' && nbf <= now + SKEW_SECONDS))
    return { rejected: 'not valid yet' };
  if (tokenType !== undefined && !(typeof tokenType === 'string' && tokenType.toLowerCase() === 'bearer'))
    return { rejected: 'no bearer token' };
  if (typeof sub !== 'string' || sub === '') return { rejected: 'about nobody' };
  const scopes = typeof claims['scope'] === 'string' ? claims['scope'].split(' ').filter(Boolean) : [];
  if (!isMeantFor(expected, listOf(claims['aud']), scopes)) return { rejected: 'meant for somebody else' };

  const organization = organizationFrom(claims);
  return Object.freeze({
    sub,
    clientId: text(claims['client_id']) ?? '',
    username: text(claims['username']),
    scopes: Object.freeze(scopes),
    roles: Object.freeze(rolesFrom(claims)),
    organization: organization && Object.freeze(organization),
    authenticatedAt: numberOf(claims['auth_time']),
    expiresAt: exp,
  });
}

function isMeantFor({ clientId, projectId }: Expectation, audiences: string[], scopes: string[]): boolean {
  if (audiences.includes(clientId)) return true;
  if (projectId) return audiences.includes(projectId);
  // Zitadel calls a token active for this application only if it is meant for its project, whose ID nobody has told us.
  return audiences.some((id) => scopes.includes(audienceScope(id)));
}

const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);

const listOf = (value: unknown): string[] =>
  (Array.isArray(value) ? value : [value]).filter((item) => typeof item === 'string');
