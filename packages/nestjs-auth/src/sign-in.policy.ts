import type { Account, Profile } from '@auth/core/types';
import type { SignInFailure } from './auth.errors.js';

/** What a program asks of a sign-in beyond the protocol, and what it makes of its end. */
export interface SignInPolicy {
  /** Throws `ProviderUnavailable` where a browser that is sent to the provider would find nobody. */
  checkProvider(): Promise<void>;
  /** The fields of the sign-in form that the answer will be compared with. They are kept in an encrypted cookie until then. */
  kept(given: Readonly<Record<string, unknown>>): Record<string, string>;
  /** Why a sign-in that the provider has approved is refused all the same. */
  refusal(profile: Profile, kept: Readonly<Record<string, string>>): SignInFailure | undefined;
  /** What an error of the authorization response means, where its code alone says too little (RFC 6749 4.1.2.1). */
  meaning(error: string, description: string): SignInFailure | undefined;
  /** A sign-in was refused after its code had been exchanged: nobody will use these tokens. */
  discard(account: Account): void;
}
