import { timestamp } from '../directory/changes.js';
import { encodeScopes } from '../directory/scopes.js';
import type { Instance } from '../instance/instance.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { findClient, type Interaction, type Session } from '../storage/provider.js';

/** A validated authorization request that is not answered yet. */
export interface AuthRequest {
  clientId: string;
  /** RFC 3339; set when the request is stored */
  createdAt?: string;
  redirectUri: string;
  responseType: string;
  responseMode: 'query' | 'fragment' | 'form_post';
  scopes: string[];
  prompts: string[];
  /** version of the login UI */
  loginVersion: 1 | 2;
  state?: string;
  nonce?: string;
  maxAgeSeconds?: number;
  loginHint?: string;
  /** the `sub` of `id_token_hint` */
  hintedUserId?: string;
  uiLocales?: string;
  /** the organization that the login is limited to */
  organizationId?: string;
  codeChallenge?: string;
  codeChallengeMethod?: 'S256' | 'plain';
  /** the browser that has asked; a link of an e-mail continues the sign-in only there */
  browserId?: string;
  /** Login V1: the user code of a device, for which the user signs in, in place of a client with a redirect URI */
  userCode?: string;
  /** Login V1: the session that completes the request; set after the sign-in */
  sid?: string;
  /** the user whose password was checked, and whose one-time code was not yet */
  passwordOf?: string;
}

const requestLifetimeSeconds = 3600;
const codeLifetimeSeconds = 600;

/** Stores the request as an oidc-provider interaction. Returns its id: `V2_…`, for Login V1 digits only. */
export async function saveAuthRequest(instance: Instance, request: AuthRequest): Promise<string> {
  const interaction = new instance.provider.Interaction();
  interaction.uid = request.loginVersion === 1 ? newId() : `V2_${newId()}`;
  interaction.params = { request: { ...request, createdAt: timestamp() } };
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

/** Stores how far the sign-in has come. */
export async function saveProgress(
  instance: Instance,
  id: string,
  progress: Pick<AuthRequest, 'sid' | 'passwordOf'>,
): Promise<void> {
  const interaction = await instance.provider.Interaction.find<Interaction>(id);
  const request = interaction?.params['request'] as AuthRequest | undefined;
  if (!interaction || !request) return;
  interaction.params = { request: { ...request, ...progress } };
  await interaction.save(requestLifetimeSeconds);
}

/** Deletes the request, so that it cannot be answered again. */
export async function deleteAuthRequest(instance: Instance, id: string): Promise<void> {
  const interaction = await instance.provider.Interaction.find<Interaction>(id);
  await interaction?.destroy();
}

/** Issues an authorization code, bound to the request and the session. */
export async function issueCode(
  instance: Instance,
  id: string,
  request: AuthRequest,
  session: Session,
): Promise<string> {
  if (session.accountId === undefined) throw new Error('The session of a code must have a user');
  const now = nowSeconds();
  const code = new instance.provider.AuthorizationCode({
    client: await findClient(instance.provider, request.clientId),
    jti: id,
    iat: now,
    exp: now + codeLifetimeSeconds,
    accountId: session.accountId,
    redirectUri: request.redirectUri,
    scope: encodeScopes(request.scopes),
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
