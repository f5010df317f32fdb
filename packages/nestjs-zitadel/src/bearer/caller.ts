import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Organization } from '../claims/claims.js';
import type { Request } from 'express';

/** Who calls the API, as Zitadel's introspection answers it. Frozen: the calls with one token share it. */
export interface Caller {
  /** the user or service user */
  readonly sub: string;
  /** the application the token was issued to; empty for a personal access token */
  readonly clientId: string;
  readonly username: string | undefined;
  readonly scopes: readonly string[];
  /** in the project of this API */
  readonly roles: readonly string[];
  readonly organization: Readonly<Organization> | undefined;
  /** when the user logged in, seconds since 1970 */
  readonly authenticatedAt: number | undefined;
  /** when the token ends, seconds since 1970 */
  readonly expiresAt: number | undefined;
  /** who acts for `sub` by token exchange (RFC 8693 4.1); only with API_ACCEPT_IMPERSONATION */
  readonly actor: string | undefined;
}

/** A request that has passed the guard. */
export interface CalledRequest extends Request {
  /** missing on public routes */
  caller?: Caller;
}

/** Injects who calls. On a public route it is `undefined`, whatever token there is: declare `Caller | undefined` there. */
export const Caller = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Caller | undefined =>
    context.switchToHttp().getRequest<CalledRequest>().caller,
);
