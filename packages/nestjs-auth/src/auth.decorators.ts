import { createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { AuthenticatedRequest, Session } from './auth.types.js';

/** Metadata key of `@Public()`. */
export const IS_PUBLIC_KEY = 'isPublic';

/** Metadata key of `@RequireRoles()`. */
export const REQUIRED_ROLES_KEY = 'requiredRoles';

/** Lets a class or method be reached without a session; one that exists is attached all the same. */
export const Public = () => SetMetadata(IS_PUBLIC_KEY, true);

/** Lets only users through who have any of `roles`; others get 403. */
export const RequireRoles = (...roles: string[]) => SetMetadata(REQUIRED_ROLES_KEY, roles);

/** Injects the session of the request, or `null`. Read by the guard: `null` where no guard ran. */
export const AuthSession = createParamDecorator(
  (_data: unknown, context: ExecutionContext): Session | null =>
    context.switchToHttp().getRequest<AuthenticatedRequest>().session ?? null,
);
