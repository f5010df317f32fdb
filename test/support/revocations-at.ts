import type { Sandbox } from 'zitadel-sandbox';

/** The refresh tokens in the revocation requests to the sandbox, the oldest first. */
export const revocationsAt = ({ requests }: Sandbox): (string | undefined)[] =>
  requests
    .filter(({ path, status }) => path === '/oauth/v2/revoke' && status === 200)
    .map(({ form }) => form['token']);
