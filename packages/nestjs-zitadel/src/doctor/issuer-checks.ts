import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { checkedMetadata, type CheckedMetadata } from '../client/checked-metadata.js';
import { jsonOf } from '../http/json-of.js';
import { askUntil, codeOf, ok, reasonOf, wrong, type Ask, type Check } from './check.js';

/** More than this makes tokens invalid: the tolerance of the checks here, and of Zitadel for a signature from the future. */
export const CLOCK_TOLERANCE_SECONDS = 5;

const LIMIT_MS = 12_000;

interface Issuer {
  issuer: string;
  allowInsecureHttp: boolean;
}

/** The checks of the address of Zitadel, and its metadata where they can be used. */
export interface IssuerReport {
  checks: Check[];
  metadata?: CheckedMetadata;
}

/** Reads the metadata (probe P1), and compares the clocks by the `Date` header. */
export async function examineIssuer(
  { issuer, allowInsecureHttp }: Issuer,
  ask: Ask = askUntil(AbortSignal.timeout(LIMIT_MS)),
): Promise<IssuerReport> {
  let answer: Response;
  try {
    answer = await ask(`${issuer}/.well-known/openid-configuration`);
  } catch (error) {
    return { checks: [await unreachable(issuer, error, ask)] };
  }
  const clock = clockCheck(answer.headers.get('date'));
  const body = await jsonOf(answer);
  const problem = await issuerProblem(issuer, answer, body);
  if (problem) return { checks: [problem, clock] };
  try {
    const metadata = checkedMetadata(body, { issuer, allowInsecureHttp });
    const note =
      metadata['backchannel_logout_supported'] === true
        ? null
        : 'Zitadel sends no back-channel logouts: switch on the feature Back-Channel Logout of the instance where a sign-out elsewhere has to end sessions here';
    const keys = await keysCheck(metadata.jwks_uri, ask);
    return { checks: [ok('issuer'), ok('metadata', note), keys, clock], metadata };
  } catch (error) {
    const detail = error instanceof TypeError ? error.message : reasonOf(error);
    return { checks: [ok('issuer'), wrong('metadata_incomplete', { detail }), clock] };
  }
}

const TLS_EXPECTED = /HTTP request to an HTTPS server|plain HTTP request was sent to HTTPS port/i;

async function issuerProblem(
  issuer: string,
  answer: Response,
  body: Record<string, unknown> | undefined,
): Promise<Check | undefined> {
  const { host, protocol } = new URL(issuer);
  const { status } = answer;
  const text = await answer.text();
  const domain = /ExternalDomain is ([\w.:-]+)/.exec(text)?.[1];
  if (domain) return wrong('issuer_other_domain', { domain, host });
  if (protocol === 'http:' && TLS_EXPECTED.test(text))
    return wrong('issuer_with_tls', { issuer, other: withScheme(issuer, 'https:') });
  const location = answer.headers.get('location');
  if (location && status < 400) return wrong('issuer_redirect', { issuer, location });
  if (status === 429 || status >= 500) return wrong('issuer_failing', { status });
  const named = body?.['issuer'];
  if (status !== 200 || typeof named !== 'string') return wrong('issuer_no_metadata', { issuer, status });
  if (named === issuer) return undefined;
  const isOtherScheme = URL.canParse(named) && new URL(named).host === host;
  return wrong(isOtherScheme ? 'issuer_other_scheme' : 'issuer_other', { issuer, other: named });
}

/** Codes of OpenSSL and Node.js for a certificate that is not accepted, and for an answer without TLS. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_/;
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|wrong version number|packet length too long/i;

async function unreachable(issuer: string, error: unknown, ask: Ask): Promise<Check> {
  const detail = reasonOf(error);
  if (CERTIFICATE.test(codeOf(error))) return wrong('issuer_certificate', { issuer, detail });
  if (issuer.startsWith('https:') && NO_TLS.test(codeOf(error) + detail))
    return wrong('issuer_without_tls', { issuer, other: withScheme(issuer, 'http:') });
  if (issuer.startsWith('http:') && (await speaksTls(issuer, ask)))
    return wrong('issuer_with_tls', { issuer, other: withScheme(issuer, 'https:') });
  return wrong('issuer_unreachable', { issuer, detail });
}

/** A server with TLS may close a connection without it. */
async function speaksTls(issuer: string, ask: Ask): Promise<boolean> {
  try {
    await ask(withScheme(issuer, 'https:'));
    return true;
  } catch (error) {
    return CERTIFICATE.test(codeOf(error));
  }
}

function withScheme(address: string, scheme: 'http:' | 'https:'): string {
  const url = new URL(address);
  url.protocol = scheme;
  return url.origin;
}

async function keysCheck(address: string, ask: Ask): Promise<Check> {
  try {
    const answer = await ask(address);
    if (answer.status !== 200) return wrong('keys_missing', { address, detail: `status ${answer.status}` });
    const keys = (await answer.json()) as JSONWebKeySet;
    createLocalJWKSet(keys);
    return keys.keys.length > 0
      ? ok('keys')
      : wrong('keys_missing', { address, detail: 'the document has no key' });
  } catch (error) {
    return wrong('keys_missing', { address, detail: reasonOf(error) });
  }
}

/** Seconds that the clock of this machine is ahead of the server's; the `Date` header has whole seconds. */
export const secondsAhead = (date: string | null): number => (Date.now() - Date.parse(date ?? '')) / 1000;

function clockCheck(date: string | null): Check {
  const ahead = Math.round(secondsAhead(date));
  if (!(Math.abs(ahead) > CLOCK_TOLERANCE_SECONDS)) return ok('clock');
  return wrong('clock_off', { seconds: Math.abs(ahead), side: sideOf(ahead) });
}

export const sideOf = (ahead: number) => (ahead > 0 ? 'ahead of Zitadel' : 'behind Zitadel');
