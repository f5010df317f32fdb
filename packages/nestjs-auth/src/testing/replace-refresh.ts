import { ProviderUnavailable, SessionEnded } from '../auth.errors.js';
import type { SessionToken } from '../auth.types.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import type { SessionRefresh } from '../session/session-extensions.js';
import type { TestedApplication } from './test-session.js';

/**
 * How a refresh ends: `refused`, because the provider has ended the session; `unavailable`, because it does not answer; or with what a
 * function makes of the content of the session.
 */
export type RefreshResult =
  'refused' | 'unavailable' | ((token: SessionToken) => SessionToken | Promise<SessionToken>);

/** What applications had before the first replacement. */
const originals = new WeakMap<ResolvedAuthOptions, SessionRefresh>();

/**
 * Replaces the refresh of tokens: the provider is not asked. When tokens are due is decided as before.
 *
 * @returns a function that puts the refresh of the application back
 * @throws when the application has the option `refresh: false`
 */
export function replaceRefresh(app: TestedApplication, result: RefreshResult): () => void {
  const options = app.get<ResolvedAuthOptions>(ResolvedAuthOptions, { strict: false });
  const refresh = originals.get(options) ?? options.refresh;
  if (!refresh) throw new Error('replaceRefresh: the application has the option `refresh: false`');
  originals.set(options, refresh);
  options.refresh = {
    isDue: (token) => refresh.isDue(token),
    refresh: (token) => {
      if (result === 'refused') return Promise.reject(new SessionEnded('refresh_rejected'));
      if (result === 'unavailable') return Promise.reject(new ProviderUnavailable());
      return Promise.resolve(result(token));
    },
  } satisfies SessionRefresh;
  return () => void (options.refresh = refresh);
}
