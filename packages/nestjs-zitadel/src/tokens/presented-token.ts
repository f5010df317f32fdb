import { decodeJwt, decodeProtectedHeader } from 'jose';
import type { RefusalFacts } from '@mridang/nestjs-auth';
import { roleGrantsFrom, ROLES, text, type RoleGrant } from '../claims/claims.js';
import { MAX_ITEMS, MAX_LENGTH } from '../refusals/explanation.js';

type Claims = Readonly<Record<string, unknown>>;

/** What is known of a token that a caller has presented, without the token itself. */
export interface TokenFacts {
  kind: string;
  /** undefined for a token of which nothing is known */
  audience: readonly string[] | undefined;
  /** also where roles of every organization count, and the caller does not have them */
  roleGrants: readonly RoleGrant[];
  /** seconds since 1970 */
  issuedAt: number | undefined;
  /** when Zitadel was asked about it, seconds since 1970 */
  readAt: number;
  /** why it is refused, and what helps */
  problem?: TokenProblem | undefined;
}

export interface TokenProblem {
  cause: string;
  cure: string | null;
}

/** @param answer of the introspection endpoint, empty where there is none */
export function tokenFacts(token: string, answer: Claims, problem?: TokenProblem): TokenFacts {
  const claims = answer['active'] === true ? answer : { ...localClaims(token), ...answer };
  const { aud, iat } = claims;
  return {
    kind: kindOf(token, claims),
    audience: answer['active'] === true || aud !== undefined ? audienceIn(aud) : undefined,
    roleGrants: roleGrantsFrom(claims[ROLES]).slice(0, MAX_ITEMS),
    issuedAt: typeof iat === 'number' ? iat : undefined,
    readAt: Math.floor(Date.now() / 1000),
    problem,
  };
}

const audienceIn = (aud: unknown): string[] =>
  (Array.isArray(aud) ? (aud as unknown[]) : [aud])
    .filter((one) => typeof one === 'string')
    .slice(0, MAX_ITEMS)
    .map((one) => one.slice(0, MAX_LENGTH));

/** The facts for the explanation of a refusal. */
export const presentedFacts = ({ kind, audience, issuedAt, readAt, problem }: TokenFacts): RefusalFacts => ({
  tokenKind: kind,
  tokenProblem: problem?.cause,
  tokenAgeSeconds: issuedAt === undefined ? undefined : Math.round(Date.now() / 1000 - issuedAt),
  audience,
  readAt: new Date(readAt * 1000).toISOString(),
});

/** Names the kind of a token, of which `claims` may be those of the introspection response. */
export function kindOf(token: string, claims: Claims): string {
  if (!isToken(token)) return 'no token';
  if (isIdToken(claims)) return 'ID token';
  if (claims['active'] === true && claims['client_id'] === undefined) return 'personal access token';
  // Opaque tokens of Zitadel have five parts, as a JWE has.
  return token.split('.').length === 3 && isJwt(token) ? 'access token (JWT)' : 'opaque access token';
}

/** RFC 6750 2.1. */
export const isToken = (value: string) => /^[\w.~+/-]+=*$/.test(value);

const isIdToken = (claims: Claims) => claims['nonce'] !== undefined || claims['at_hash'] !== undefined;

function isJwt(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg !== undefined;
  } catch {
    return false;
  }
}

/** The claims of a JWT, not verified; empty for other tokens. */
export function localClaims(token: string): Record<string, unknown> {
  if (token.split('.', 4).length !== 3) return {};
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}

/** Why Zitadel calls a token inactive, as far as its own claims show: Zitadel gives no reason. */
export function inactiveBecause(claims: Claims, issuer: string): TokenProblem | undefined {
  if (isIdToken(claims)) return { cause: 'it is an ID token', cure: 'send the access token' };
  if (typeof claims['exp'] === 'number' && claims['exp'] < Date.now() / 1000)
    return { cause: 'it has expired', cure: 'get a new one' };
  const iss = text(claims['iss']);
  return iss === undefined || iss === issuer
    ? undefined
    : { cause: `it is of the issuer ${iss}`, cure: `get one of ${issuer}` };
}

export const otherwiseInactive: TokenProblem = {
  // shorter than the limit of an explanation
  cause:
    'it has expired or was revoked, is for another project, its session or user has ended, or Zitadel does not know it',
  cure: 'get a new one, for the project of this API',
};

/** What helps against a refusal by the API, of a token that Zitadel calls active. */
export const cureFor = (refused: string, projectId: string | undefined): string | null =>
  refused === 'aud is another project'
    ? `ask for the token with the scope urn:zitadel:iam:org:project:id:${projectId ?? '{project}'}:aud, or correct IDP_PROJECT_ID`
    : null;
