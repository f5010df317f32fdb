import type { Patch } from './patch.js';
import type { Person } from './people.js';
import type { Signer } from './signers.js';

/** What the provider does wrong to a token it signs. */
export interface TokenMutation {
  header?: Patch;
  claims?: Patch;
  sign?: Signer;
}

/** What the provider does wrong in one login and all that follows from it. */
export interface Mutation {
  /** who signs in, whatever `login_hint` says */
  person?: Person;
  /** the query of the authorization response */
  callback?: Patch;
  idToken?: TokenMutation;
  /** the answer of the token endpoint to the code */
  tokenAnswer?: Patch;
  userinfo?: Patch;
  /** the answer of the token endpoint to the refresh token, and the ID token in it */
  refresh?: { idToken?: TokenMutation; tokenAnswer?: Patch };
  /** all keys are replaced before the ID token is signed */
  rotateKeys?: boolean;
  /** the query of the return from end_session */
  logoutReturn?: Patch;
}
