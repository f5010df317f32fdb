import { createHash } from 'node:crypto';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import { clientOf, type Interaction, type Session } from './provider.js';
import type { Realm } from './realm.js';
import { storedScope } from './stored-scope.js';

/** A valid authorization request on its way through the login pages. */
export interface AuthRequest {
  clientId: string;
  redirectUri: string;
  responseType: string;
  responseMode: 'query' | 'fragment' | 'form_post';
  scopes: string[];
  prompts: string[];
  /** the login UI that answers it */
  loginVersion: 1 | 2;
  state?: string;
  nonce?: string;
  maxAgeSeconds?: number;
  loginHint?: string;
  /** the user an `id_token_hint` names */
  hintedUserId?: string;
  uiLocales?: string;
  /** the only organization that may sign in */
  organizationId?: string;
  codeChallenge?: string;
  codeChallengeMethod?: 'S256' | 'plain';
  /** Login V1: the session that answers the request, once somebody has signed in */
  sid?: string;
}

const requestLifetimeSeconds = 3600;
const codeLifetimeSeconds = 600;

/** Keeps the request as an interaction of oidc-provider's; the answer is its id: `V2_…`, plain digits for Login V1. */
export async function saveAuthRequest(realm: Realm, request: AuthRequest): Promise<string> {
  const interaction = new realm.provider.Interaction();
  interaction.uid = request.loginVersion === 1 ? newId() : `V2_${newId()}`;
  interaction.params = { request };
  await interaction.save(requestLifetimeSeconds);
  return interaction.uid;
}

export async function findAuthRequest(
  realm: Realm,
  id: string | undefined,
): Promise<AuthRequest | undefined> {
  const interaction = await realm.provider.Interaction.find<Interaction>(id ?? '');
  return interaction?.params['request'] as AuthRequest | undefined;
}

/** Login V1: this session answers the request. */
export async function saveAnswer(realm: Realm, id: string, sid: string): Promise<void> {
  const interaction = await realm.provider.Interaction.find<Interaction>(id);
  const request = interaction?.params['request'] as AuthRequest | undefined;
  if (!interaction || !request) return;
  interaction.params = { request: { ...request, sid } };
  await interaction.save(requestLifetimeSeconds);
}

/** Ends the request: it can be answered once. */
export async function closeAuthRequest(realm: Realm, id: string): Promise<void> {
  const interaction = await realm.provider.Interaction.find<Interaction>(id);
  await interaction?.destroy();
}

/** A code for the client, bound to the request and to the session that answers it. */
export async function issueCode(
  realm: Realm,
  id: string,
  request: AuthRequest,
  session: Session,
): Promise<string> {
  if (session.accountId === undefined) throw new Error('A code needs a signed-in user');
  const now = nowSeconds();
  const code = new realm.provider.AuthorizationCode({
    client: await clientOf(realm.provider, request.clientId),
    jti: id,
    iat: now,
    exp: now + codeLifetimeSeconds,
    accountId: session.accountId,
    redirectUri: request.redirectUri,
    scope: storedScope(request.scopes),
    nonce: request.nonce,
    authTime: session.loginTs,
    amr: session.amr,
    sid: session.jti,
    codeChallenge: request.codeChallenge,
    codeChallengeMethod: request.codeChallengeMethod,
    grantId: id,
    gty: 'authorization_code',
  });
  await code.save();
  return realm.seal.seal(id);
}

/** True when `verifier` answers the challenge (RFC 7636 section 4.6); `plain` compares as it is. */
export function answersChallenge(verifier: string, challenge: string, method: string | undefined): boolean {
  const answer = method === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  return answer === challenge;
}
