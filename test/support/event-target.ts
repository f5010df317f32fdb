import { createHmac } from 'node:crypto';
import { EVENT_TYPES } from '@mridang/nestjs-zitadel';
import type { Sandbox } from 'zitadel-sandbox';

/** A key of the tests, beside that of the target. */
export const OWN_KEY = 'a-signing-key-of-the-tests-that-is-long-enough';

/** Options of a sandbox whose management API can be called. */
export const managed = { patFile: '/dev/null' };

/** Makes a target for the events of the application on `origin`. Returns the variable with its signing key and that of the tests. */
export async function eventTarget(sandbox: Sandbox, origin: string): Promise<{ ZITADEL_EVENTS_KEY: string }> {
  const { id, signingKey } = await manage<{ id: string; signingKey: string }>(
    sandbox,
    'action.v2.ActionService/CreateTarget',
    {
      name: 'events',
      restWebhook: {},
      timeout: '10s',
      endpoint: `${origin}/auth/zitadel-events`,
    },
  );
  for (const event of EVENT_TYPES) {
    const execution = { condition: { event: { event } }, targets: [id] };
    await manage(sandbox, 'action.v2.ActionService/SetExecution', execution);
  }
  return { ZITADEL_EVENTS_KEY: `${OWN_KEY}, ${signingKey}` };
}

/** Calls the management API of a sandbox, such as `authorization.v2.AuthorizationService/UpdateAuthorization`. */
export async function manage<Answer = Record<string, unknown>>(
  sandbox: Sandbox,
  method: string,
  message: object,
): Promise<Answer> {
  const answer = await fetch(`${sandbox.issuer}/zitadel.${method}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${sandbox.personalAccessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(message),
  });
  if (answer.status !== 200) throw new Error(`${method}: ${await answer.text()}`);
  return (await answer.json()) as Answer;
}

/** An event as Zitadel sends it. */
export const eventOf = (type: string, fields: object = {}): string =>
  JSON.stringify({
    aggregateID: '320000000000000999',
    aggregateType: 'user',
    resourceOwner: '320000000000000001',
    instanceID: '320000000000000002',
    version: 'v2',
    sequence: 3,
    created_at: new Date().toISOString(),
    userID: '320000000000000010',
    event_type: type,
    ...fields,
  });

/** `zitadel-signature` of a body. */
export function signatureOf(body: string, { key = OWN_KEY, seconds = Math.floor(Date.now() / 1000) } = {}) {
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
}

/** Sends an event; without `signature` it is signed as Zitadel would. */
export function sendEvent(
  url: string,
  body: string,
  { signature = signatureOf(body), ...headers }: { signature?: string } & Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(signature && { 'zitadel-signature': signature }),
      ...headers,
    },
    body,
  });
}
