import { storedScope } from '../directory/scopes.js';
import type { Instance } from '../instance/instance.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { clientOf, type Interaction, type Session } from '../storage/provider.js';

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
export async function saveAuthRequest(instance: Instance, request: AuthRequest): Promise<string> {
  const interaction = new instance.provider.Interaction();
  interaction.uid = request.loginVersion === 1 ? newId() : `V2_${newId()}`;
  interaction.params = { request };
  await interaction.save(requestLifetimeSeconds);
  return interaction.uid;
}

export async function findAuthRequest(
  instance: Instance,
  id: string | undefined,
): Promise<AuthRequest | undefined> {
  const interaction = await instance.provider.Interaction.find<Interaction>(id ?? '');
  return interaction?.params['request'] as AuthRequest | undefined;
}

/** Login V1: this session answers the request. */
export async function saveAnswer(instance: Instance, id: string, sid: string): Promise<void> {
  const interaction = await instance.provider.Interaction.find<Interaction>(id);
  const request = interaction?.params['request'] as AuthRequest | undefined;
  if (!interaction || !request) return;
  interaction.params = { request: { ...request, sid } };
  await interaction.save(requestLifetimeSeconds);
}

/** Ends the request: it can be answered once. */
export async function closeAuthRequest(instance: Instance, id: string): Promise<void> {
  const interaction = await instance.provider.Interaction.find<Interaction>(id);
  await interaction?.destroy();
}

/** A code for the client, bound to the request and to the session that answers it. */
export async function issueCode(
  instance: Instance,
  id: string,
  request: AuthRequest,
  session: Session,
): Promise<string> {
  if (session.accountId === undefined) throw new Error('A code needs a signed-in user');
  const now = nowSeconds();
  const code = new instance.provider.AuthorizationCode({
    client: await clientOf(instance.provider, request.clientId),
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
  return instance.encryption.encrypt(id);
}
