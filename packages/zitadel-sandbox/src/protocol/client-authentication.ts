import { timingSafeEqual } from 'node:crypto';
import type { Application } from '../directory/applications.js';
import type { Call } from '../http/call.js';
import { OidcError } from '../http/oidc.error.js';
import type { Instance } from '../instance/instance.js';
import { unverifiedIssuer, assertionType, isAssertionOfOne } from '../keys/client-assertion.js';
import { validKeysOf } from '../keys/key-file.js';

/** The client credentials of a request, from the Authorization header and the form. */
export interface ClientCredentials {
  clientId?: string;
  clientSecret?: string;
  assertion?: string;
}

/** A Basic header takes precedence over the form. Its two parts are form-encoded (RFC 6749 section 2.3.1). */
function readCredentials({ ctx, params }: Call): ClientCredentials {
  const assertion = params['client_assertion'];
  const type = params['client_assertion_type'] ?? '';
  if (assertion && type !== assertionType) {
    throw new OidcError('invalid_request', `invalid client_assertion_type ${type}`);
  }
  const basic = basicCredentials(ctx.get('authorization'));
  const clientId = basic?.clientId ?? params['client_id'];
  const clientSecret = basic?.clientSecret ?? params['client_secret'];
  return {
    ...(clientId && { clientId }),
    ...(clientSecret && { clientSecret }),
    ...(assertion && { assertion }),
  };
}

/** The credentials of a request.
 *
 * @throws OidcError when it names no client */
export function requireCredentials(call: Call): ClientCredentials {
  const credentials = readCredentials(call);
  if (!credentials.clientId && !credentials.assertion) {
    throw new OidcError('invalid_request', 'client_id or client_assertion must be provided');
  }
  return credentials;
}

function basicCredentials(header: string): ClientCredentials | undefined {
  const encoded = /^Basic (.+)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const [id = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  // Zitadel ignores a header without a colon
  if (secret.length === 0) return undefined;
  try {
    return { clientId: decodeForm(id), clientSecret: decodeForm(secret.join(':')) };
  } catch {
    throw new OidcError('invalid_client', 'invalid basic auth header');
  }
}

function decodeForm(value: string): string {
  return decodeURIComponent(value.replaceAll('+', ' '));
}

/**
 * Authenticates the client of the token, revocation or device authorization endpoint. As in Zitadel, every error has
 * status 400, not 401.
 */
export async function authenticate(call: Call, instance: Instance): Promise<Application> {
  const credentials = requireCredentials(call);
  const claimed = credentials.assertion === undefined ? undefined : unverifiedIssuer(credentials.assertion);
  if (credentials.assertion !== undefined && claimed === undefined) throw new OidcError('invalid_client');
  const application = instance.applications.oidcClient(credentials.clientId ?? claimed);
  if (!application) throw new OidcError('invalid_client', 'no active client not found');
  await verifyCredentials(application, credentials, instance.issuer);
  return application;
}

async function verifyCredentials(
  application: Application,
  credentials: ClientCredentials,
  issuer: string,
): Promise<void> {
  const { authMethod } = application;
  if (authMethod === 'none') return;
  if (authMethod === 'private_key_jwt') {
    if (!credentials.assertion) throw new OidcError('invalid_client', 'empty client assertion');
    if (!(await isAssertionOfOne(validKeysOf(application), credentials.assertion, issuer))) {
      throw new OidcError('invalid_client', 'invalid assertion');
    }
    return;
  }
  if (!credentials.clientSecret) throw new OidcError('invalid_client', 'empty client secret');
  if (!isSecretOf(application, credentials.clientSecret))
    throw new OidcError('invalid_client', 'invalid secret');
}

/** Compares in constant time. */
export function isSecretOf(owner: { clientSecret?: string }, secret: string): boolean {
  const expected = Buffer.from(owner.clientSecret ?? '');
  const given = Buffer.from(secret);
  return expected.length > 0 && expected.length === given.length && timingSafeEqual(expected, given);
}
