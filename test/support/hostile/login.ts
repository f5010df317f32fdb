import type { Mutation } from './mutation.js';
import type { Person } from './people.js';

/** One approved authorization request, and what was handed out for it since. */
export interface Login {
  person: Person;
  mutation: Mutation;
  sid: string;
  code: string;
  clientId: string;
  redirectUri: string;
  scope: string;
  nonce: string | undefined;
  challenge: string | undefined;
  /** seconds since 1970 */
  authTime: number;
  /** the latest, and all before it */
  accessTokens: string[];
  refreshTokens: string[];
  idTokens: string[];
}
