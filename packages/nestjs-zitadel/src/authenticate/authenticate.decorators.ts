import { IS_PUBLIC_KEY, requestOf, type AuthUser } from '@mridang/nestjs-auth';
import { applyDecorators, createParamDecorator, SetMetadata, type ExecutionContext } from '@nestjs/common';
import type { CalledRequest } from '../bearer/caller.js';

/** How a request may say whose it is: with the cookie of a browser, or with the bearer token of a program. */
export type AuthenticationKind = 'session' | 'bearer';

/** Metadata key of `@Authenticate()`. */
export const AUTHENTICATE_KEY = Symbol.for('@mridang/nestjs-zitadel:authenticate');

/** Where `@nestjs/swagger` looks for the security of an operation; these are its default names of the schemes. */
const API_SECURITY = 'swagger/apiSecurity';
export const API_SECURITY_SCHEMES = { session: 'cookie', bearer: 'bearer' } as const;

/**
 * Says what a class or method takes: `session`, the cookie of a browser; `bearer`, the bearer token of a program; or both. Without it, the
 * option `authenticate` of the module counts. Where bearer tokens are taken, a request with the header `Authorization` is decided by that
 * alone; without it the cookie counts, and methods that change something need the CSRF token of `CsrfService`, as the field `csrfToken` or
 * the header `X-CSRF-Token`. OpenAPI documents of `@nestjs/swagger` have the schemes `cookie` and `bearer`.
 *
 * @throws `TypeError` for another kind, or for none
 */
export function Authenticate(...kinds: [AuthenticationKind, ...AuthenticationKind[]]) {
  checkKinds('@Authenticate()', kinds);
  return applyDecorators(
    SetMetadata(AUTHENTICATE_KEY, kinds),
    // A method is guarded in a class that is public.
    SetMetadata(IS_PUBLIC_KEY, false),
    SetMetadata(
      API_SECURITY,
      kinds.map((kind) => ({ [API_SECURITY_SCHEMES[kind]]: [] })),
    ),
  );
}

/** @throws `TypeError` with the name of the option or decorator */
export function checkKinds(name: string, kinds: readonly AuthenticationKind[]) {
  if (kinds.length === 0 || kinds.some((kind) => !Object.hasOwn(API_SECURITY_SCHEMES, kind)))
    throw new TypeError(`${name}: expected session, bearer, or both`);
}

/** Injects the user, of the same shape for both kinds; `undefined` on a public route without a session. */
export const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AuthUser | undefined => {
    const request = requestOf(context);
    return (request as Partial<CalledRequest> | undefined)?.caller?.user ?? request?.session?.user;
  },
);
