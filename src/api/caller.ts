import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { CalledRequest } from './bearer.guard.js';

/** Who calls the API, as Zitadel's introspection answers it. */
export interface Caller {
  /** the user or service user */
  sub: string;
  /** the application the token was issued to; empty for a personal access token */
  clientId: string;
  username: string | undefined;
  scopes: readonly string[];
  /** in the project of this API */
  roles: readonly string[];
  organization: { id: string; name?: string; domain?: string } | undefined;
  /** when the user logged in, seconds since 1970 */
  authenticatedAt: number | undefined;
  /** when the token ends, seconds since 1970 */
  expiresAt: number | undefined;
}

/** Injects who calls. */
export const Caller = createParamDecorator(
  (_data: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<CalledRequest>().caller,
);
