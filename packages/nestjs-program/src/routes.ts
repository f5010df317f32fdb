import type { Application } from 'express';

/** What Express registers: a route, or middleware at a path. */
interface Layer {
  route?: { path: unknown; methods: Record<string, boolean> };
  /** middleware for every path */
  slash: boolean;
  match(path: string): boolean;
}

const layersOf = ({ router }: Pick<Application, 'router'>) => (router as unknown as { stack: Layer[] }).stack;

/** More methods than a route lists by name: such a route takes all methods. */
const MANY = 5;

/** The routes of an application, and the paths of its files. */
export interface Routes {
  isTaken(path: string): boolean;
  /** also by a route below the path */
  isTakenBelow(path: string): boolean;
}

/** The methods of the routes for a path, for `Allow` (RFC 9110 10.2.1); empty where a route takes all of them. */
export function allowedMethods(app: Pick<Application, 'router'>, path: string): string[] {
  if (path.startsWith('/static/')) return ['GET', 'HEAD'];
  const listed = layersOf(app).flatMap((layer) => {
    const methods = Object.keys(layer.route?.methods ?? {});
    return methods.length <= MANY && !methods.includes('_all') && layer.match(path) ? methods : [];
  });
  return [
    ...new Set(listed.flatMap((method) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))),
  ];
}

/**
 * What Express has registered so far.
 *
 * @param answers whether one of the routes with parameters answers a path: their patterns match more than they answer
 */
export function routesOf(
  app: Pick<Application, 'router'>,
  answers: (path: string) => boolean = () => false,
): Routes {
  const layers = layersOf(app);
  const hasParameters = ({ route }: Layer) => /[:*]/.test(String(route?.path));
  const isTaken = (path: string) =>
    answers(path) || layers.some((layer) => !layer.slash && !hasParameters(layer) && layer.match(path));
  return {
    isTaken,
    isTakenBelow: (path) =>
      isTaken(path) ||
      layers.some(({ route }) => String(route?.path).toLowerCase().startsWith(`${path.toLowerCase()}/`)),
  };
}
