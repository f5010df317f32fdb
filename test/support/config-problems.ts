import { ConfigError, explain } from '@mridang/nestjs-program';

/** The error of a refused configuration. Rethrows every other error. */
function configErrorOf(read: () => unknown): ConfigError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** The names of the refused variables. */
export const refusedVariables = (read: () => unknown): string[] =>
  configErrorOf(read)?.problems.map(({ variable }) => variable) ?? [];

/** The error text of a refused configuration; empty if it is accepted. */
export function configErrorText(read: () => unknown): string {
  const error = configErrorOf(read);
  return error ? explain(error) : '';
}
