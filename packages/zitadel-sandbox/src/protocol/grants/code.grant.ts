import { createHash } from 'node:crypto';
import type { Application } from '../../directory/applications.js';
import { decodeScopes } from '../../directory/scopes.js';
import type { SandboxUser } from '../../directory/users.js';
import type { Call } from '../../http/call.js';
import { OidcError } from '../../http/oidc.error.js';
import type { Instance } from '../../instance/instance.js';
import { newGrantId } from '../../sessions/grant.js';
import type { AuthorizationCode } from '../../storage/provider.js';
import { issueTokens, type TokenResponse } from '../../tokens/token-response.js';

/** The authorization code grant. A wrong `code_verifier` does not consume the code; the first success does. */
export async function codeGrant(
  { params }: Call,
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  if (!params['code']) throw new OidcError('invalid_request', 'code missing');
  if (!params['redirect_uri']) throw new OidcError('invalid_request', 'redirect_uri missing');
  const code = await findCode(instance, params['code']);
  if (code.clientId !== application.clientId) {
    throw new OidcError(
      'invalid_client',
      'client_id does not correspond to the client_id in the authorization request',
    );
  }
  if (code.redirectUri !== params['redirect_uri']) {
    throw new OidcError('invalid_grant', 'redirect_uri does not correspond');
  }
  checkVerifier(code, params['code_verifier'], application);
  return redeemCode(code, instance, application);
}

async function findCode(instance: Instance, presented: string): Promise<AuthorizationCode> {
  const id = await instance.encryption.decrypt(presented);
  if (id === undefined) throw new OidcError('invalid_request', 'Errors.User.Code.Invalid');
  const code = await instance.provider.AuthorizationCode.find<AuthorizationCode>(id);
  if (!code?.isValid) throw usedCodeError(id);
  return code;
}

// Zitadel deletes the authorization request of a used code with Login V1, but keeps it with Login V2
function usedCodeError(id: string): OidcError {
  return id.startsWith('V2_')
    ? new OidcError('invalid_request', 'Errors.AuthRequest.NoCode')
    : new OidcError('invalid_request', 'Errors.AuthRequest.NotFound', 404);
}

function checkVerifier(
  code: AuthorizationCode,
  verifier: string | undefined,
  { authMethod }: Application,
): void {
  const { codeChallenge, codeChallengeMethod } = code;
  if (codeChallenge === undefined) {
    if (verifier && authMethod === 'none') {
      throw new OidcError('invalid_request', 'code_verifier unexpectedly provided');
    }
    return;
  }
  if (!verifier) throw new OidcError('invalid_request', 'code_verifier required');
  if (!matchesChallenge(verifier, codeChallenge, codeChallengeMethod)) {
    throw new OidcError('invalid_grant', 'invalid code_verifier');
  }
}

// Login V2 has one error for all states of a user
function userError({ sid }: AuthorizationCode, user: SandboxUser | undefined): OidcError {
  if (sid?.startsWith('V1_') && !user) return new OidcError('invalid_request', 'Errors.User.NotFound', 404);
  const isLocked = sid?.startsWith('V1_') && user?.state === 'locked';
  return new OidcError('invalid_request', isLocked ? 'Errors.User.Locked' : 'Errors.User.NotActive');
}

async function redeemCode(
  code: AuthorizationCode,
  instance: Instance,
  application: Application,
): Promise<TokenResponse> {
  await code.consume();
  const user = instance.directory.byId(code.accountId);
  if (!user?.active) throw userError(code, user);
  if (code.sid !== undefined) {
    const session = await instance.sessions.find(code.sid);
    if (!session) throw new OidcError('invalid_request', 'Errors.Session.Terminated');
    await instance.sessions.addClient(code.sid, application.clientId);
  }
  return issueTokens(instance, {
    id: newGrantId(),
    user,
    application,
    scopes: decodeScopes(code.scope),
    authTime: code.authTime ?? code.iat,
    amr: code.amr ?? [],
    ...(code.nonce !== undefined && { nonce: code.nonce }),
    ...(code.sid !== undefined && { sid: code.sid }),
  });
}

/** True when `verifier` matches the challenge (RFC 7636 section 4.6); `plain` is compared as it is. */
function matchesChallenge(verifier: string, challenge: string, method: string | undefined): boolean {
  const expected = method === 'S256' ? createHash('sha256').update(verifier).digest('base64url') : verifier;
  return expected === challenge;
}
