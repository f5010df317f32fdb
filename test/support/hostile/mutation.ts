import type { Patch } from './patch.js';
import type { Person } from './people.js';
import type { Signer } from './signers.js';

/** Changes to a token that the provider signs. */
export interface TokenMutation {
  header?: Patch;
  claims?: Patch;
  sign?: Signer;
}

/** Changes to one sign-in and to all that follows from it. */
export interface Mutation {
  /** the user, whatever `login_hint` names */
  person?: Person;
  /** changes to the query of the authorization response */
  callback?: Patch;
  idToken?: TokenMutation;
  /** changes to the token response for the code */
  tokenAnswer?: Patch;
  userinfo?: Patch;
  /** changes to the token response for the refresh token, and to its ID token */
  refresh?: { idToken?: TokenMutation; tokenAnswer?: Patch };
  /** whether all keys are replaced before the ID token is signed */
  rotateKeys?: boolean;
  /** changes to the query of the redirect from end_session */
  logoutReturn?: Patch;
}
