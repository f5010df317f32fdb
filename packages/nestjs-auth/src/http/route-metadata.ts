import type { ExecutionContext, Type } from '@nestjs/common';

/** Remembers what decorators say about a route: it does not change while the program runs. */
export class RouteMetadata<T extends NonNullable<unknown>> {
  private readonly known = new WeakMap<Type, Map<unknown, T>>();

  /** @param read reads the metadata of a handler and its class */
  constructor(private readonly read: (targets: [handler: () => void, owner: Type]) => T) {}

  of(context: ExecutionContext): T {
    const owner = context.getClass();
    const handler = context.getHandler() as () => void;
    let routes = this.known.get(owner);
    if (!routes) this.known.set(owner, (routes = new Map<unknown, T>()));
    const known = routes.get(handler);
    if (known !== undefined) return known;
    const value = this.read([handler, owner]);
    routes.set(handler, value);
    return value;
  }
}
