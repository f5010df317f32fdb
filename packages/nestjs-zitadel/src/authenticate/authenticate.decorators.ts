import { IS_PUBLIC_KEY, requestOf, type AuthUser } from '@mridang/nestjs-auth';
import {
  applyDecorators,
  createParamDecorator,
  SetMetadata,
  type ExecutionContext,
  type Type,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
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
    describedSecurity(kinds),
  );
}

const reflector = new Reflector();

/** Where Nest keeps the HTTP method of a route. */
const ROUTE_METHOD = 'method';

/**
 * Describes methods for `@nestjs/swagger`, which would add what a method says to what its class says. So a class describes those of its
 * routes that do not say it themselves.
 */
const describedSecurity =
  (kinds: readonly AuthenticationKind[]) =>
  (target: object, _key?: string | symbol, descriptor?: PropertyDescriptor) => {
    const method = descriptor?.value as (() => void) | undefined;
    for (const route of method ? [method] : undecidedRoutes(target as Type)) {
      const known = reflector.get<Record<string, string[]>[] | undefined>(API_SECURITY, route) ?? [];
      const names = kinds.map((kind) => API_SECURITY_SCHEMES[kind]);
      const others = known.filter((one) => !names.some((name) => Object.hasOwn(one, name)));
      SetMetadata(API_SECURITY, [...others, ...names.map((name) => ({ [name]: [] }))])(route);
    }
  };

const undecidedRoutes = ({ prototype }: Type): (() => void)[] =>
  Object.values(Object.getOwnPropertyDescriptors(prototype as object))
    .map(({ value }) => value as unknown)
    .filter((value): value is () => void => typeof value === 'function')
    .filter(
      (route) =>
        reflector.get(ROUTE_METHOD, route) !== undefined &&
        reflector.get(AUTHENTICATE_KEY, route) === undefined &&
        reflector.get(IS_PUBLIC_KEY, route) !== true,
    );

/** @throws `TypeError` with the name of the option or decorator */
export function checkKinds(name: string, kinds: readonly AuthenticationKind[]) {
  if (kinds.length === 0 || kinds.some((kind) => !Object.hasOwn(API_SECURITY_SCHEMES, kind)))
    throw new TypeError(`${name}: expected session, bearer, or both`);
}

/**
 * Injects the user, of the same shape for both kinds; `undefined` on a public route without a session.
 *
 * @throws `TypeError` in an API of `ZitadelApiModule`, which has callers: `@Caller()`
 */
export const CurrentUser = createParamDecorator(
  (_data: unknown, context: ExecutionContext): AuthUser | undefined => {
    const request = requestOf(context);
    const { caller } = (request ?? {}) as Partial<CalledRequest>;
    if (caller && !caller.user)
      throw new TypeError(
        '@CurrentUser() is for routes of ZitadelModule; with ZitadelApiModule use @Caller()',
      );
    return caller?.user ?? request?.session?.user;
  },
);
