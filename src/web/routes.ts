import type { Application } from 'express';

/** What Express registers: a route, or middleware at a path. */
interface Layer {
  route?: { path: unknown; methods: Record<string, boolean> };
  /** middleware for every path */
  slash: boolean;
  match(path: string): boolean;
}

const layersOf = ({ router }: Pick<Application, 'router'>) =>
  (router as unknown as { stack: Layer[] }).stack;

/** More methods than a route lists by name: such a route takes all methods. */
const MANY = 5;

/** The methods of the routes for a path; empty where a route takes all of them. */
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

/** Whether a path has a route or is that of a file. */
export const isTaken = (app: Pick<Application, 'router'>, path: string): boolean =>
  layersOf(app).some((layer) => !layer.slash && layer.match(path));

/** Whether a path or one below it is taken. */
export const isTakenBelow = (app: Pick<Application, 'router'>, path: string): boolean =>
  isTaken(app, path) ||
  layersOf(app).some(({ route }) => String(route?.path).toLowerCase().startsWith(`${path.toLowerCase()}/`));
