import { MethodNotAllowed } from '@mridang/nestjs-auth';
import type { Request } from 'express';

interface Layer {
  route?: { methods: Record<string, boolean> };
  match(path: string): boolean;
}

/** More methods than a route lists by name: such a route takes all methods. */
const MANY = 5;

/** A 405 in place of a 404 where the path has a route for other methods. */
export function wrongMethod(request: Pick<Request, 'app' | 'path' | 'method'>): MethodNotAllowed | undefined {
  const allowed = allowedMethods(request);
  return allowed.length > 0 && !allowed.includes(request.method) ? new MethodNotAllowed(allowed) : undefined;
}

function allowedMethods({ app, path }: Pick<Request, 'app' | 'path'>): string[] {
  if (path.startsWith('/static/')) return ['GET', 'HEAD'];
  const { stack } = app.router as unknown as { stack: Layer[] };
  const listed = stack.flatMap((layer) => {
    const methods = Object.keys(layer.route?.methods ?? {});
    return methods.length <= MANY && !methods.includes('_all') && layer.match(path) ? methods : [];
  });
  return [
    ...new Set(listed.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))),
  ];
}
