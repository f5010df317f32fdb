import { randomUUID } from 'node:crypto';
import type { Account, Profile, User } from '@auth/core/types';
import type { IAuthModuleOptions } from '../auth.options.js';
import { mergedProvider } from '../provider-options.js';

/** Claims of a user, as an OpenID provider has them. */
export interface TestClaims {
  sub: string;
  name?: string;
  email?: string;
  picture?: string;
  /** What `@RequireRoles()` compares with, in place of what the option `roles` finds. */
  roles?: string[];
  [claim: string]: unknown;
}

/** What Auth.js tells the callbacks `signIn` and `jwt` of a sign-in. */
export interface SignInMessage {
  user: User;
  account: Account;
  profile?: Profile;
}

/** The members of a provider of Auth.js that a sign-in without it needs. */
export interface TestProvider {
  id: string;
  type: Account['type'];
  profile?: ((claims: Profile, tokens: Account) => User | Promise<User>) | undefined;
}

/** The provider with that id, or the first. A program without any gets one with a password. */
export function providerIn(providers: IAuthModuleOptions['providers'], id: string | undefined): TestProvider {
  const all = providers.map((provider) => mergedProvider(provider) as unknown as TestProvider);
  const found = id === undefined ? all[0] : all.find((provider) => provider.id === id);
  if (!found && id !== undefined) throw new Error(`loginAs: the application has no provider \`${id}\``);
  return found ?? { id: 'credentials', type: 'credentials' };
}

/** Returns what Auth.js would have after a sign-in at `provider`. */
export async function signInMessage(
  provider: TestProvider,
  claims: TestClaims,
  tokens: Partial<Account>,
): Promise<SignInMessage> {
  const { sub, name, email, picture } = claims;
  const plain = { ...claims, id: sub, image: picture } as User;
  const account = { provider: provider.id, type: provider.type, providerAccountId: sub };
  if (provider.type !== 'oidc' && provider.type !== 'oauth') return { user: plain, account };
  // OAuth providers of Auth.js read `id`.
  const profile = (provider.type === 'oauth' ? { id: sub, ...claims } : claims) as Profile;
  const full = { ...account, ...tokensFor(claims), ...tokens } as Account;
  const made = provider.profile
    ? await provider.profile(profile, full)
    : { id: sub, name, email, image: picture };
  return {
    user: { ...made, id: randomUUID() } as User,
    account: { ...full, providerAccountId: made.id ?? sub },
    profile,
  };
}

const LIFETIME_SECONDS = 3600;

/** A token response that no provider has given: each sign-in has tokens of its own. */
function tokensFor(claims: TestClaims): Partial<Account> {
  const now = Math.floor(Date.now() / 1000);
  const idToken = [{ alg: 'none' }, { iat: now, exp: now + LIFETIME_SECONDS, ...claims }]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return {
    token_type: 'bearer',
    access_token: `access-token-${randomUUID()}`,
    refresh_token: `refresh-token-${randomUUID()}`,
    id_token: `${idToken}.`,
    expires_in: LIFETIME_SECONDS,
    expires_at: now + LIFETIME_SECONDS,
  };
}

/** The members of a token response whose access token has expired. */
export const expiredTokens = (): Partial<Account> => ({
  expires_in: -60,
  expires_at: Math.floor(Date.now() / 1000) - 60,
});
