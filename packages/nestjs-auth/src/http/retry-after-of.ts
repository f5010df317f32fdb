import { ProviderUnavailable } from '../auth.errors.js';
import { causeOf } from './describe-error.js';

const MAX_DEPTH = 8;

/** When it makes sense to try again, in seconds from now, where the provider has said so: an error itself, or a cause of it. */
export function retryAfterOf(error: unknown): number | undefined {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_DEPTH; cause = causeOf(cause), depth++)
    if (cause instanceof ProviderUnavailable && cause.retryAfterSeconds !== undefined)
      return cause.retryAfterSeconds;
  return undefined;
}
