import type { CanActivate, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { REQUIRED_ROLES_KEY } from './auth.decorators.js';

/** Metadata of Nest: guards of a handler, pattern of a microservice, message and class of a WebSocket gateway. */
const GUARDS = '__guards__';
const PATTERN = 'microservices:pattern';
const MESSAGE = 'message';
const IS_GATEWAY = 'websockets:is_gateway';

type Handler = (...args: never[]) => unknown;

/**
 * Nest runs global guards neither for the microservices of a hybrid application nor, up to version 11, for WebSocket gateways. Their
 * handlers with `@RequireRoles()` get the guards as if by `@UseGuards()`.
 */
export class MessageGuards {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly guards: readonly CanActivate[],
  ) {}

  /** Must run before Nest reads the handlers. */
  attach() {
    for (const { controllers, providers } of this.modules.values())
      for (const { metatype } of [...controllers.values(), ...providers.values()])
        if (typeof metatype === 'function' && metatype.prototype !== undefined)
          for (const handler of messageHandlersOf(metatype as Type)) this.guard(handler);
  }

  private guard(handler: Handler) {
    const given = (Reflect.getMetadata(GUARDS, handler) ?? []) as unknown[];
    const others = given.filter((guard) => !this.guards.some((own) => isOfSameClass(guard, own)));
    Reflect.defineMetadata(GUARDS, [...others, ...this.guards], handler);
  }
}

/** Another application of this process may have attached its own. */
const isOfSameClass = (guard: unknown, own: CanActivate) =>
  typeof guard === 'object' && guard?.constructor === own.constructor;

function messageHandlersOf(owner: Type): Handler[] {
  const isGateway = Reflect.hasMetadata(IS_GATEWAY, owner);
  return methodsOf(owner.prototype as object).filter(
    (method) =>
      (Reflect.hasMetadata(REQUIRED_ROLES_KEY, method) || Reflect.hasMetadata(REQUIRED_ROLES_KEY, owner)) &&
      (Reflect.hasMetadata(PATTERN, method) || (isGateway && Reflect.hasMetadata(MESSAGE, method))),
  );
}

function methodsOf(prototype: object | null): Handler[] {
  if (prototype === null || prototype === Object.prototype) return [];
  const own = Object.values(Object.getOwnPropertyDescriptors(prototype)).flatMap(({ value }) =>
    typeof value === 'function' ? [value as Handler] : [],
  );
  return [...own, ...methodsOf(Object.getPrototypeOf(prototype) as object | null)];
}
