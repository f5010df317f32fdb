import { scopesFor } from '../claims/claims.js';
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

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * Sends the requests of a sign-in, a refresh and a sign-out: an authorization request with `prompt=none`, token requests with an invalid
 * code and refresh token, and an end-session request without a session.
 *
 * @throws what `fetch` throws
 */
export async function probeSetup(
  options: ResolvedZitadelOptions,
  metadata: CheckedMetadata,
  fetch: Fetch,
): Promise<ProbeResults> {
  const [{ location, ...authorize }, token, refresh, endSession] = await Promise.all([
    probeAuthorize(options, metadata, fetch),
    probeCode(options, metadata, fetch),
    probeToken(options, metadata, { grant_type: 'refresh_token', refresh_token: MARK }, fetch),
    probeEndSession(options, metadata, fetch),
  ]);
  return { location, answers: { authorize, token, refresh, endSession } };
}

/** Whether Zitadel accepts an authorization request with this client ID and redirect URI. */
export async function probeAuthorize(
  options: ResolvedZitadelOptions,
  { authorization_endpoint: endpoint }: CheckedMetadata,
  fetch: Fetch,
): Promise<ProbeAnswer & Pick<ProbeResults, 'location'>> {
  const answer = await fetch(
    withQuery(endpoint, {
      client_id: options.clientId,
      redirect_uri: options.redirectUri,
      response_type: 'code',
      scope: scopesFor(options).join(' '),
      prompt: 'none',
      state: MARK,
      nonce: MARK,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
    }),
  );
  return { ...(await answerIn(answer)), location: answer.headers.get('location') ?? undefined };
}

/** Whether Zitadel accepts the client ID, its secret and the authorization code grant. */
export const probeCode = (options: ResolvedZitadelOptions, metadata: CheckedMetadata, fetch: Fetch) =>
  probeToken(
    options,
    metadata,
    {
      grant_type: 'authorization_code',
      code: MARK,
      redirect_uri: options.redirectUri,
      code_verifier: CHALLENGE,
    },
    fetch,
  );

/** Whether Zitadel accepts an end-session request with this post-logout redirect URI. */
export async function probeEndSession(
  { clientId, postLogoutRedirectUri }: ResolvedZitadelOptions,
  { end_session_endpoint: endpoint }: CheckedMetadata,
  fetch: Fetch,
): Promise<ProbeAnswer> {
  if (!endpoint) return { status: 200, error: '', description: '' };
  const query = { client_id: clientId, post_logout_redirect_uri: postLogoutRedirectUri, state: MARK };
  return answerIn(await fetch(withQuery(endpoint, query)));
}

async function probeToken(
  { clientId, clientSecret }: ResolvedZitadelOptions,
  { token_endpoint: endpoint }: CheckedMetadata,
  grant: Record<string, string>,
  fetch: Fetch,
): Promise<ProbeAnswer> {
  const body = new URLSearchParams({ ...grant, ...(clientSecret ? {} : { client_id: clientId }) });
  const headers = clientSecret ? { authorization: basic(clientId, clientSecret) } : {};
  return answerIn(await fetch(endpoint, { method: 'POST', body, headers }));
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
