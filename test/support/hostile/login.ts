import type { Mutation } from './mutation.js';
import type { Person } from './people.js';

/** An approved authorization request and the tokens issued for it. */
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
  /** all issued tokens, the latest last */
  accessTokens: string[];
  refreshTokens: string[];
  idTokens: string[];
}
