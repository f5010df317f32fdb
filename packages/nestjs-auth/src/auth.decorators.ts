import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { Session } from './auth.types.js';
import { requestOf } from './http/request-of.js';

/**
 * Metadata key of `@Public()`. A symbol: other guards use the key `isPublic`, whose routes must not become public here. A registered one,
 * so that the guard of one copy of this package obeys the decorators of another.
 */
export const IS_PUBLIC_KEY = Symbol.for('@mridang/nestjs-auth:isPublic');

/** Metadata key of `@RequireRoles()`. */
export const REQUIRED_ROLES_KEY = Symbol.for('@mridang/nestjs-auth:requiredRoles');

/**
 * Metadata key of the member of the user that the roles of the same `@RequireRoles()` are compared with, for decorators of other packages.
 * Default `roles`, also for a user without that member.
 */
export const ROLES_MEMBER_KEY = Symbol.for('@mridang/nestjs-auth:rolesMember');

/** Allows a class or method without a session. An existing session is set on the request. */
export const Public = () => SetMetadata(IS_PUBLIC_KEY, true);

/** Allows only users with at least one of `roles`; others get 403. */
export const RequireRoles = (...roles: string[]) => SetMetadata(REQUIRED_ROLES_KEY, roles);

/** Injects the session that the guard has read, or `null`. */
export const AuthSession = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Session | null => requestOf(context)?.session ?? null,
);
