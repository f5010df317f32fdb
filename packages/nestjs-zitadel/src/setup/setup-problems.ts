import type { MistakeCode } from './mistakes.js';

/** Configuration problems because of which Zitadel refuses this program, for the readiness check. */
export abstract class SetupProblems {
  abstract get codes(): readonly string[];
}

/** Status and error (RFC 6749 5.2) of the response to a probe. */
export interface ProbeAnswer {
  status: number;
  error: string;
  description: string;
}

/** Error responses of Zitadel to the probes, as recorded (v4, 2026-07). */
const rows: Record<Probe, readonly [RegExp, MistakeCode][]> = {
  authorize: [
    [/^invalid_request Errors\.App\.NotFound/, 'client_unknown'],
    [/redirect_uri is missing in the client configuration/, 'redirect_uri_unknown'],
    [/redirect_uri is http and is not allowed/, 'redirect_uri_http'],
    [/^unauthorized_client .*response type is missing/, 'code_flow_off'],
  ],
  token: [
    [/^invalid_client no active client not found/, 'client_unknown'],
    [/^invalid_client empty client secret/, 'client_secret_missing'],
    [/^invalid_client empty client assertion/, 'client_key_expected'],
    [/^invalid_client invalid secret/, 'client_secret_wrong'],
    [/^unauthorized_client grant_type "authorization_code" not allowed/, 'code_flow_off'],
  ],
  refresh: [[/^unauthorized_client grant_type "refresh_token" not allowed/, 'refresh_grant_off']],
  endSession: [[/post_logout_redirect_uri invalid/, 'post_logout_uri_unknown']],
};

/** A request to Zitadel that needs no browser and changes nothing. */
export type Probe = 'authorize' | 'token' | 'refresh' | 'endSession';

/** Returns the mistakes that the responses show, each once. */
export function mistakesIn(answers: Partial<Record<Probe, ProbeAnswer>>): MistakeCode[] {
  const codes = Object.entries(answers).flatMap(([probe, { status, error, description }]) => {
    if (status < 400) return [];
    const row = rows[probe as Probe].find(([words]) => words.test(`${error} ${description}`));
    return row ? [row[1]] : [];
  });
  return [...new Set(codes)];
}
