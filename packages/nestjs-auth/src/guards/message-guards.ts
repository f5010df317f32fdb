import type { CanActivate, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { REQUIRED_ROLES_KEY } from '../auth.decorators.js';

/** Metadata of Nest: guards of a handler, pattern of a microservice, message and class of a WebSocket gateway. */
const GUARDS = '__guards__';
const PATTERN = 'microservices:pattern';
const MESSAGE = 'message';
const IS_GATEWAY = 'websockets:is_gateway';

type Handler = (...args: never[]) => unknown;

interface OwnGuards {
  /** for every handler of a gateway, and for whatever requires roles */
  session: CanActivate;
  roles: CanActivate;
}

/**
 * Nest runs global guards neither for the microservices of a hybrid application nor, up to version 11, for WebSocket gateways. The
 * handlers of gateways, and those with `@RequireRoles()`, get the guards as if by `@UseGuards()`.
 */
export class MessageGuards {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly guards: OwnGuards,
    private readonly isGlobal: { globalGuard: boolean; rolesGuard: boolean },
  ) {}

  /** Must run before Nest reads the handlers. */
  attach() {
    for (const { controllers, providers } of this.modules.values())
      for (const { metatype } of [...controllers.values(), ...providers.values()])
        if (typeof metatype === 'function' && metatype.prototype !== undefined)
          for (const [handler, guards] of this.guardedIn(metatype as Type)) guard(handler, guards);
  }

  private *guardedIn(owner: Type): Generator<[Handler, CanActivate[]]> {
    const isGateway = Reflect.hasMetadata(IS_GATEWAY, owner);
    const { session, roles } = this.guards;
    for (const method of methodsOf(owner.prototype as object)) {
      const isMessage = isGateway && Reflect.hasMetadata(MESSAGE, method);
      const hasRoles = [method, owner].some((target) => Reflect.hasMetadata(REQUIRED_ROLES_KEY, target));
      if (hasRoles && this.isGlobal.rolesGuard && (isMessage || Reflect.hasMetadata(PATTERN, method)))
        yield [method, [session, roles]];
      else if (isMessage && this.isGlobal.globalGuard) yield [method, [session]];
    }
  }
}

function guard(handler: Handler, guards: readonly CanActivate[]) {
  const given = (Reflect.getMetadata(GUARDS, handler) ?? []) as unknown[];
  const others = given.filter((one) => !guards.some((own) => isOfSameClass(one, own)));
  Reflect.defineMetadata(GUARDS, [...others, ...guards], handler);
}

/** Another application of this process may have attached its own. */
const isOfSameClass = (guard: unknown, own: CanActivate) =>
  typeof guard === 'object' && guard?.constructor === own.constructor;

function methodsOf(prototype: object | null): Handler[] {
  if (prototype === null || prototype === Object.prototype) return [];
  const own = Object.values(Object.getOwnPropertyDescriptors(prototype)).flatMap(({ value }) =>
    typeof value === 'function' ? [value as Handler] : [],
  );
  return [...own, ...methodsOf(Object.getPrototypeOf(prototype) as object | null)];
}
