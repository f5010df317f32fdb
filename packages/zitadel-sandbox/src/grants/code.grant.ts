import { newGrantId } from '../grant.js';
import { answersChallenge } from '../auth-request.js';
import type { Call } from '../call.js';
import type { Application } from '../clients.js';
import { OidcError } from '../oidc.error.js';
import type { AuthorizationCode } from '../provider.js';
import type { Realm } from '../realm.js';
import { scopesStoredIn } from '../stored-scope.js';
import { issueTokens, type TokenResponse } from '../tokens.js';
import type { SandboxUser } from '../users.js';

/** Trades a code for tokens. A wrong verifier does not burn the code; the first success does. */
export async function codeGrant(
  { params }: Call,
  realm: Realm,
  application: Application,
): Promise<TokenResponse> {
  if (!params['code']) throw new OidcError('invalid_request', 'code missing');
  if (!params['redirect_uri']) throw new OidcError('invalid_request', 'redirect_uri missing');
  const code = await livingCode(realm, params['code']);
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
  return redeem(code, realm, application);
}

async function livingCode(realm: Realm, presented: string): Promise<AuthorizationCode> {
  const id = await realm.seal.open(presented);
  if (id === undefined) throw new OidcError('invalid_request', 'Errors.User.Code.Invalid');
  const code = await realm.provider.AuthorizationCode.find<AuthorizationCode>(id);
  if (!code?.isValid) throw usedCode(id);
  return code;
}

// the request of a code is gone with Login V1, and without a code with Login V2
function usedCode(id: string): OidcError {
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
  if (!answersChallenge(verifier, codeChallenge, codeChallengeMethod)) {
    throw new OidcError('invalid_grant', 'invalid code_verifier');
  }
}

// Login V2 knows one text
function userRefusal({ sid }: AuthorizationCode, user: SandboxUser | undefined): OidcError {
  if (sid?.startsWith('V1_') && !user) return new OidcError('invalid_request', 'Errors.User.NotFound', 404);
  const isLocked = sid?.startsWith('V1_') && user?.state === 'locked';
  return new OidcError('invalid_request', isLocked ? 'Errors.User.Locked' : 'Errors.User.NotActive');
}

async function redeem(
  code: AuthorizationCode,
  realm: Realm,
  application: Application,
): Promise<TokenResponse> {
  await code.consume();
  const user = realm.directory.byId(code.accountId);
  if (!user?.active) throw userRefusal(code, user);
  if (code.sid !== undefined) {
    const session = await realm.sessions.find(code.sid);
    if (!session) throw new OidcError('invalid_request', 'Errors.Session.Terminated');
    await realm.sessions.addClient(code.sid, application.clientId);
  }
  return issueTokens(realm, {
    id: newGrantId(),
    user,
    application,
    scopes: scopesStoredIn(code.scope),
    authTime: code.authTime ?? code.iat,
    amr: code.amr ?? [],
    ...(code.nonce !== undefined && { nonce: code.nonce }),
    ...(code.sid !== undefined && { sid: code.sid }),
  });
}
