import type { AuthUser } from '@mridang/nestjs-auth';
import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { RefusalFacts } from '@mridang/nestjs-auth';
import type { Organization, RoleGrant } from '../claims/claims.js';
import { roleFacts } from '../organizations/organization.errors.js';
import { presentedFacts, type TokenFacts } from '../tokens/presented-token.js';
import type { Request } from 'express';

/** Key of what is known of the token. A symbol, since an answer may be made of all members of a caller. */
export const TOKEN_FACTS = Symbol('token facts');

/** The caller of the API, from the introspection response. Frozen, because requests with the same token share it. */
export interface Caller {
  /** the user or service user */
  readonly sub: string;
  /** the application the token was issued to; empty for a personal access token */
  readonly clientId: string;
  readonly username: string | undefined;
  readonly scopes: readonly string[];
  /** in the project of this API; with `organizations: 'active'` those of the active organization */
  readonly roles: readonly string[];
  readonly organization: Readonly<Organization> | undefined;
  /** with `organizations: 'active'`: the roles of the caller, and the organizations that grant them */
  readonly roleGrants?: readonly RoleGrant[];
  /** with `organizations: 'active'`: those that grant the caller roles */
  readonly organizations?: readonly Organization[];
  /** with `organizations: 'active'`: that of the header `X-Organization`, else the home organization, else the only one */
  readonly activeOrganization?: Organization | undefined;
  /** with `organizations: 'active'`: the roles of all organizations */
  readonly allRoles?: readonly string[];
  /** when the user logged in, seconds since 1970 */
  readonly authenticatedAt: number | undefined;
  /** how the user logged in: `amr` (RFC 8176), empty for a personal access token */
  readonly factors: readonly string[];
  /** expiry of the token, seconds since 1970 */
  readonly expiresAt: number | undefined;
  /** `sub` of the actor after a token exchange (RFC 8693 4.1); only with the option `accepts.impersonation` */
  readonly actor: string | undefined;
  /** with `ZitadelModule`: the same as the user of a session. Scopes of the token decide whether it has a name and an e-mail address */
  readonly user?: AuthUser;
  readonly [TOKEN_FACTS]?: TokenFacts;
}

/** What a refused caller has, for the explanation. */
export const callerFacts = (caller: Caller): RefusalFacts => ({
  ...roleFacts({ roleGrants: caller[TOKEN_FACTS]?.roleGrants, ...caller }),
  scopes: caller.scopes,
  factors: caller.factors,
  signInAgeSeconds:
    caller.authenticatedAt === undefined
      ? 'no sign-in'
      : Math.round(Date.now() / 1000 - caller.authenticatedAt),
  ...(caller[TOKEN_FACTS] && presentedFacts(caller[TOKEN_FACTS])),
});

/** A request after the guard. */
export interface CalledRequest extends Request {
  /** missing on public routes */
  caller?: Caller;
  /** the header `X-Organization`, where it counts */
  organizationAsked?: unknown;
}

/** Injects the caller. On a public route it is `undefined`, with or without a token: declare `Caller | undefined` there. */
export const Caller = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<CalledRequest>().caller,
);
