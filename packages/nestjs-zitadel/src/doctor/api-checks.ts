import { createPrivateKey } from 'node:crypto';
import { callerIn } from '../bearer/introspection-answer.js';
import { audienceScope } from '../claims/claims.js';
import type { CheckedMetadata } from '../client/checked-metadata.js';
import { jsonOf } from '../http/json-of.js';
import type { ApiKey } from '../tokens/api-key.js';
import { signAssertion, type AssertionKey } from '../tokens/client-assertion.js';
import { ok, unknown, wrong, type Ask, type Check } from './check.js';
import { CLOCK_TOLERANCE_SECONDS, secondsAhead, sideOf } from './issuer-checks.js';

/** What the API is configured with. */
export interface ApiSettings {
  issuer: string;
  key: ApiKey;
  projectId: string | undefined;
  /** the variable that the key comes from */
  keySetting?: string;
}

/** Key of a service user, of which `examineApi` gets a token. */
export type ServiceKey = AssertionKey;

/**
 * Reads the key file of a service user.
 *
 * @throws `TypeError` with what the file is instead
 */
export function serviceKeyFrom(text: string): ServiceKey {
  let fields: Partial<Record<'type' | 'keyId' | 'key' | 'userId', string>> | null;
  try {
    fields = JSON.parse(text) as typeof fields;
  } catch {
    throw new TypeError('expected the key file of a service user (JSON), as downloaded');
  }
  const { type, keyId, key, userId } = fields ?? {};
  if (type !== 'serviceaccount' || !keyId || !key || !userId)
    throw new TypeError(`expected the key file of a service user, and its type is ${JSON.stringify(type)}`);
  try {
    return { subject: userId, keyId, privateKey: createPrivateKey(key) };
  } catch {
    throw new TypeError('the private key in it cannot be used');
  }
}

/** Sends an introspection request with a made-up token (probe P7), and one with the token of a service user (P9). */
export async function examineApi(
  api: ApiSettings,
  metadata: CheckedMetadata,
  serviceKey: ServiceKey | undefined,
  ask: Ask,
): Promise<Check[]> {
  const key = await keyCheck(api, metadata, ask);
  if (key.status !== 'ok')
    return [key, unknown('api-project', 'not examined: Zitadel does not accept the key of the API')];
  return [key, await projectCheck(api, metadata, serviceKey, ask)];
}

async function keyCheck(api: ApiSettings, metadata: CheckedMetadata, ask: Ask): Promise<Check> {
  const { answer } = await introspect(api, metadata, 'not-a-token', ask);
  if (answer.status === 200) return ok('api-key');
  if (answer.status >= 500 || answer.status === 429)
    return unknown('api-key', `the introspection endpoint answers ${answer.status}`, 'run the doctor again');
  const ahead = Math.round(secondsAhead(answer.headers.get('date')));
  if (Math.abs(ahead) > CLOCK_TOLERANCE_SECONDS) {
    const again = await introspect(api, metadata, 'not-a-token', ask, ahead);
    if (again.answer.status === 200)
      return wrong('api_key_clock', { seconds: Math.abs(ahead), side: sideOf(ahead) }, '');
  }
  return wrong('api_key_refused', {}, api.keySetting);
}

async function projectCheck(
  api: ApiSettings,
  metadata: CheckedMetadata,
  serviceKey: ServiceKey | undefined,
  ask: Ask,
): Promise<Check> {
  const { projectId } = api;
  if (!projectId)
    return unknown(
      'api-project',
      'IDP_PROJECT_ID is not set: tokens of whichever project they were asked for are taken',
      'set IDP_PROJECT_ID to the ID of the project',
    );
  if (!serviceKey)
    return unknown(
      'api-project',
      'only a token shows whether the API application is in the project',
      'npm run doctor -- --service-key FILE, with the key file of any service user',
    );
  const grant = await ask(metadata.token_endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await signAssertion(serviceKey, api.issuer),
      scope: `openid ${audienceScope(projectId)}`,
    }),
  });
  const token = (await jsonOf(grant))?.['access_token'];
  if (typeof token !== 'string')
    return unknown(
      'api-project',
      `Zitadel gives no token for the key in --service-key (status ${grant.status})`,
      'take the key file of an active service user of this instance',
    );
  const { body } = await introspect(api, metadata, token, ask);
  const { clientId } = api.key;
  const caller = callerIn(body, {
    issuer: api.issuer,
    clientId,
    projectId,
    impersonation: true,
    withoutClient: true,
  });
  return 'refused' in caller ? wrong('api_other_project', { project: projectId }) : ok('api-project');
}

/** Asks whether a token is active, with the key of the API (RFC 7662 2.1, RFC 7523 2.2). */
export async function introspect(
  { issuer, key }: ApiSettings,
  { introspection_endpoint: endpoint = `${issuer}/oauth/v2/introspect` }: CheckedMetadata,
  token: string,
  ask: Ask,
  clockAheadSeconds = 0,
) {
  const { clientId: subject, keyId, privateKey } = key;
  const answer = await ask(endpoint, {
    method: 'POST',
    body: new URLSearchParams({
      token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signAssertion({ subject, keyId, privateKey }, issuer, clockAheadSeconds),
    }),
  });
  return { answer, body: (await jsonOf(answer)) ?? {} };
}
