import type { ExecutionContext, Type } from '@nestjs/common';

/** Caches the decorator metadata of a route, which does not change while the program runs. */
export class RouteMetadata<T extends NonNullable<unknown>> {
  private readonly cache = new WeakMap<Type, Map<unknown, T>>();

  /** @param read reads the metadata of a handler and its class */
  constructor(private readonly read: (targets: [handler: () => void, owner: Type]) => T) {}

  of(context: ExecutionContext): T {
    const owner = context.getClass();
    const handler = context.getHandler() as () => void;
    let routes = this.cache.get(owner);
    if (!routes) this.cache.set(owner, (routes = new Map<unknown, T>()));
    const cached = routes.get(handler);
    if (cached !== undefined) return cached;
    const value = this.read([handler, owner]);
    routes.set(handler, value);
    return value;
  }
}
