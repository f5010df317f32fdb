import { authActions } from '@mridang/nestjs-auth';
import type { Application } from 'express';
import type { Routes } from '../config/env.js';

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

/** The routes of an application, and the paths of its files. */
export function routesOf(app: Pick<Application, 'router'>): Routes {
  const layers = layersOf(app);
  // The routes with parameters are those of Auth.js, which answers its own actions alone.
  const hasParameters = ({ route }: Layer) => /[:*]/.test(String(route?.path));
  const isTaken = (path: string) => {
    const [, action = ''] = /^\/auth\/([^/]+)/i.exec(path) ?? [];
    return (
      authActions.includes(action.toLowerCase()) ||
      layers.some((layer) => !layer.slash && !hasParameters(layer) && layer.match(path))
    );
  };
  return {
    isTaken,
    isTakenBelow: (path) =>
      isTaken(path) ||
      layers.some(({ route }) => String(route?.path).toLowerCase().startsWith(`${path.toLowerCase()}/`)),
  };
}
