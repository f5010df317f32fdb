import type { ResolvedZitadelOptions } from '../zitadel.options.js';
import type { CheckedMetadata } from '../client/checked-metadata.js';
import type { Probe, ProbeAnswer } from './setup-problems.js';

/** Code, refresh token and state of the probes: recognizable in the log of Zitadel. */
const MARK = 'start-up-check';

/** A challenge without a verifier; RFC 7636 4.2 requires 43 characters. */
const CHALLENGE = MARK.padEnd(43, '-');

export interface ProbeResults {
  answers: Record<Probe, ProbeAnswer>;
  /** redirect target of the authorization endpoint: the login page, or the redirect URI */
  location: string | undefined;
}

/**
 * Sends the requests of a sign-in, a refresh and a sign-out: an authorization request with `prompt=none`, token requests with an invalid
 * code and refresh token, and an end-session request without a session.
 *
 * @throws what `fetch` throws
 */
export async function probeSetup(
  { clientId, clientSecret, redirectUri, postLogoutRedirectUri }: ResolvedZitadelOptions,
  metadata: CheckedMetadata,
  scopes: readonly string[],
  fetch: (url: string | URL, init?: RequestInit) => Promise<Response>,
): Promise<ProbeResults> {
  const token = (grant: Record<string, string>) =>
    fetch(metadata.token_endpoint, {
      method: 'POST',
      body: new URLSearchParams({ ...grant, ...(clientSecret ? {} : { client_id: clientId }) }),
      headers: clientSecret ? { authorization: basic(clientId, clientSecret) } : {},
    });
  const [authorize, code, refresh, endSession] = await Promise.all([
    fetch(
      withQuery(metadata.authorization_endpoint, {
        client_id: clientId,
        redirect_uri: redirectUri,
        response_type: 'code',
        scope: scopes.join(' '),
        prompt: 'none',
        state: MARK,
        nonce: MARK,
        code_challenge: CHALLENGE,
        code_challenge_method: 'S256',
      }),
    ),
    token({
      grant_type: 'authorization_code',
      code: MARK,
      redirect_uri: redirectUri,
      code_verifier: CHALLENGE,
    }),
    token({ grant_type: 'refresh_token', refresh_token: MARK }),
    metadata.end_session_endpoint
      ? fetch(
          withQuery(metadata.end_session_endpoint, {
            client_id: clientId,
            post_logout_redirect_uri: postLogoutRedirectUri,
            state: MARK,
          }),
        )
      : new Response(),
  ]);
  return {
    location: authorize.headers.get('location') ?? undefined,
    answers: {
      authorize: await answerIn(authorize),
      token: await answerIn(code),
      refresh: await answerIn(refresh),
      endSession: await answerIn(endSession),
    },
  };
}

function withQuery(address: string, query: Record<string, string>): URL {
  const url = new URL(address);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** HTTP Basic credentials: both parts are form-urlencoded first (RFC 6749 2.3.1). */
function basic(clientId: string, clientSecret: string): string {
  const encoded = [clientId, clientSecret].map((part) => new URLSearchParams({ part }).toString().slice(5));
  return `Basic ${Buffer.from(encoded.join(':')).toString('base64')}`;
}

async function answerIn(answer: Response): Promise<ProbeAnswer> {
  const text = await answer.text();
  const { error = '', error_description: description = '' } = parsed(text);
  return { status: answer.status, error: String(error), description: String(description) };
}

function parsed(text: string): { error?: unknown; error_description?: unknown } {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null ? body : {};
  } catch {
    return {};
  }
}
