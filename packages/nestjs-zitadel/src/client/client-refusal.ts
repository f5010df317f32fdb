import type { ClientRefusal } from './oidc.errors.js';

const refusals: readonly unknown[] = ['invalid_client', 'unauthorized_client'] satisfies ClientRefusal[];

/** Has the same code, and is about the token: it belongs to another client. */
const ofAnotherClient = 'client_id does not correspond to the client_id in the refresh token';

/** What an answer to a refresh says against the client, whatever the token. `undefined` where it says nothing of it. */
export function clientRefusal(body: {
  error?: unknown;
  error_description?: unknown;
}): ClientRefusal | undefined {
  return refusals.includes(body.error) && body.error_description !== ofAnotherClient
    ? (body.error as ClientRefusal)
    : undefined;
}
