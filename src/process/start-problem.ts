import { ConfigError, explain } from '../config/config-error.js';

/** The message that a program prints when it cannot start. */
export function startProblem(error: unknown, portVariable: string): string {
  if (error instanceof ConfigError) return explain(error);
  const { code, port } = error as { code?: string; port?: number };
  if (code === 'EADDRINUSE')
    return `Port ${port} is in use. Stop what listens there, or set ${portVariable} to another one.`;
  if (code === 'EACCES')
    return `Port ${port} needs more rights than this program has. Set ${portVariable} to one above 1023.`;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
