import type { Account } from '@auth/core/types';
import { AuthModuleOptions } from '../auth.options.js';
import type { SessionToken } from '../auth.types.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import {
  expiredTokens,
  providerIn,
  signInMessage,
  type TestClaims,
  type TestProvider,
} from './sign-in-message.js';
import { TestSession, type TestedApplication } from './test-session.js';

export type { TestClaims } from './sign-in-message.js';

export interface LoginOptions {
  /** Id of the provider the user signs in with. Default: the first. */
  provider?: string;
  /** Members of its token response. Default: tokens that are valid for an hour. */
  tokens?: Partial<Account>;
  /**
   * In place of `profile()` of the provider, which may call the provider, as that of Microsoft Entra ID does. `false`: the user has
   * `sub`, `name`, `email` and `picture` of the claims.
   */
  profile?: TestProvider['profile'] | false;
}

/**
 * Signs a user in without any provider. The callbacks `signIn` and `jwt`, the function `profile` of the provider and the option `roles` run
 * as at a sign-in, and call what they call; events and `observer` hear of nothing.
 *
 * @param claims those of the provider; for a credentials provider the members of the user
 * @throws when a callback refuses the user
 */
export async function loginAs(
  app: TestedApplication,
  claims: TestClaims,
  { provider: id, tokens = {}, profile }: LoginOptions = {},
): Promise<TestSession> {
  const options = app.get<ResolvedAuthOptions>(ResolvedAuthOptions, { strict: false });
  const { providers } = app.get<AuthModuleOptions>(AuthModuleOptions, { strict: false });
  const provider = { ...providerIn(providers, id) };
  if (profile !== undefined) provider.profile = profile || undefined;

  async function signIn(given: Partial<Account>): Promise<SessionToken> {
    const message = await signInMessage(provider, claims, given);
    const config = options.configFor(ignore, ignore, () => true);
    if ((await config.callbacks?.signIn?.(message)) !== true)
      throw new Error('loginAs: the callback `signIn` refuses the user');
    const { user } = message;
    const token = { name: user.name, email: user.email, picture: user.image, sub: user.id };
    const rolesOf = claims.roles && (() => claims.roles ?? []);
    const made = await options.sessionToken({ ...message, token, trigger: 'signIn' } as never, rolesOf);
    if (!made) throw new Error('loginAs: the callback `jwt` refuses the user');
    return options.codec.seal({ ...made, jti: undefined, start: undefined } as never).token;
  }

  return new TestSession(app, options, await signIn(tokens), () => signIn({ ...tokens, ...expiredTokens() }));
}

const ignore = () => undefined;
