import type { Mutation } from './mutation.js';
import { broken, byHmac, byNobody, byStranger, pemOf } from './signers.js';

const appended = (name: string, end: string) => (claims: Record<string, unknown>) => ({
  [name]: `${String(claims[name])}${end}`,
});

/** Mutations that several tests use. A `login_hint` with one of these names selects it, too. */
export const mutations = {
  'wrong-issuer': { idToken: { claims: appended('iss', '1') } },
  'foreign-audience': { idToken: { claims: { aud: 'another-client', azp: undefined } } },
  'foreign-audience-beside': {
    idToken: { claims: ({ azp }) => ({ aud: [azp, 'another-client'], azp: undefined }) },
  },
  'foreign-azp': { idToken: { claims: { azp: 'another-client' } } },
  'own-audience-alone': { idToken: { claims: ({ azp }) => ({ aud: [azp], azp: undefined }) } },
  'own-audience-as-text': { idToken: { claims: ({ azp }) => ({ aud: azp, azp: undefined }) } },
  'no-sub': { idToken: { claims: { sub: undefined } } },
  'no-iat': { idToken: { claims: { iat: undefined } } },
  'no-exp': { idToken: { claims: { exp: undefined } } },
  'long-expired': { idToken: { claims: ({ iat }) => ({ exp: Number(iat) - 600 }) } },
  'no-nonce': { idToken: { claims: { nonce: undefined } } },
  'other-nonce': { idToken: { claims: appended('nonce', '1') } },
  unsigned: { idToken: { sign: byNobody() } },
  'signed-by-a-stranger': { idToken: { sign: byStranger() } },
  'signed-with-public-key': { idToken: { sign: byHmac(pemOf) } },
  'broken-signature': { idToken: { sign: broken } },
  'other-sub-in-userinfo': { userinfo: appended('sub', 'invalid') },
  'new-key': { rotateKeys: true },
  'no-expires-in': { tokenAnswer: { expires_in: undefined } },
  'odd-bearer': { tokenAnswer: { token_type: 'bEARER' } },
  'no-bearer': { tokenAnswer: { token_type: 'mac' } },
  /** The access token is due after a second. */
  'soon-due': { tokenAnswer: { expires_in: 1 } },
} satisfies Record<string, Mutation>;
