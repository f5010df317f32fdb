import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest, Session } from './auth.types.js';

/** Metadata key of `@Public()`. */
export const IS_PUBLIC_KEY = 'isPublic';

/** Metadata key of `@RequireRoles()`. */
export const REQUIRED_ROLES_KEY = 'requiredRoles';

/** Allows a class or method without a session. An existing session is set on the request. */
export const Public = () => SetMetadata(IS_PUBLIC_KEY, true);

/** Allows only users with at least one of `roles`; others get 403. */
export const RequireRoles = (...roles: string[]) => SetMetadata(REQUIRED_ROLES_KEY, roles);

/** Injects the session that the guard has read, or `null`. */
export const AuthSession = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Session | null =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().session ?? null,
);
