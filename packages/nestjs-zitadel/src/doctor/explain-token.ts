import { decodeJwt, decodeProtectedHeader } from 'jose';
import { callerIn } from '../bearer/introspection-answer.js';
import { rolesFrom, text } from '../claims/claims.js';
import { introspect, type ApiSettings } from './api-checks.js';
import { askUntil, reasonOf, type Ask } from './check.js';
import { examineIssuer } from './issuer-checks.js';

/** Why the API takes or refuses a token. Never has the token. */
export interface TokenReport {
  status: 'accepted' | 'refused' | 'unknown';
  kind: string;
  /** the check that decides */
  decidedBy: string;
  cause: string;
  cure: string | null;
  /** seconds since it was issued */
  ageSeconds: number | null;
  expiresInSeconds: number | null;
  /** projects and applications that it was issued for (`aud`) */
  audience: string[];
  roles: string[];
  scopes: string[];
}

type Verdict = Pick<TokenReport, 'status' | 'decidedBy' | 'cause' | 'cure'>;

interface ExplainedApi extends ApiSettings {
  allowInsecureHttp: boolean;
  accepts: { impersonation: boolean; withoutClient: boolean };
}

const LIMIT_MS = 12_000;

/** Sends the introspection request of the API, and where the token is inactive a userinfo request. Takes at most 20 seconds. */
export async function explainToken(given: string, api: ExplainedApi): Promise<TokenReport> {
  const token = given.trim().replace(/^Bearer /i, '');
  const ask = askUntil(AbortSignal.timeout(LIMIT_MS));
  const local = claimsIn(token);
  try {
    const { answer, verdict } = await verdictFor(token, local, api, ask);
    return { ...verdict, ...factsIn(token, { ...local, ...answer }) };
  } catch (error) {
    const verdict: Verdict = {
      status: 'unknown',
      decidedBy: 'introspection',
      cause: `Zitadel was not asked: ${reasonOf(error)}`,
      cure: 'npm run doctor',
    };
    return { ...verdict, ...factsIn(token, local) };
  }
}

type Claims = Record<string, unknown>;

async function verdictFor(token: string, local: Claims, api: ExplainedApi, ask: Ask) {
  if (!isToken(token))
    return {
      answer: {},
      verdict: refused('Authorization header', 'this is no token (RFC 6750 2.1)', 'give the token alone'),
    };
  const { checks, metadata } = await examineIssuer(api, ask);
  const problem = checks.find(({ status }) => status === 'wrong');
  if (!metadata) throw new Error(problem?.cause ?? 'no metadata');
  const { answer: response, body: answer } = await introspect(api, metadata, token, ask);
  if (response.status !== 200) throw new Error(`the introspection endpoint answers ${response.status}`);
  if (answer['active'] === false) {
    const userinfo = metadata.userinfo_endpoint
      ? (await ask(metadata.userinfo_endpoint, { headers: { authorization: `Bearer ${token}` } })).status
      : undefined;
    return { answer, verdict: whyInactive(local, userinfo, api) };
  }
  const { clientId } = api.key;
  const caller = callerIn(answer, { issuer: api.issuer, clientId, projectId: api.projectId, ...api.accepts });
  const verdict: Verdict =
    'refused' in caller
      ? refused('checks of the API', caller.refused, cureOf[caller.refused] ?? null)
      : {
          status: 'accepted',
          decidedBy: 'introspection',
          cause: 'Zitadel calls it active, and issuer, times, audience and application are right',
          cure: null,
        };
  return { answer, verdict };
}

const refused = (decidedBy: string, cause: string, cure: string | null): Verdict => ({
  status: 'refused',
  decidedBy,
  cause,
  cure,
});

const cureOf: Record<string, string> = {
  'aud is another project':
    'ask for the token with the scope urn:zitadel:iam:org:project:id:{IDP_PROJECT_ID}:aud, or correct IDP_PROJECT_ID',
};

/** Zitadel gives no reason for `active: false`. */
function whyInactive(local: Claims, userinfo: number | undefined, api: ApiSettings): Verdict {
  const by = 'introspection (active: false)';
  if (isIdToken(local)) return refused(by, 'it is an ID token', 'send the access token');
  const expired = typeof local['exp'] === 'number' && local['exp'] < Date.now() / 1000;
  if (expired) return refused(by, 'it has expired', 'get a new one');
  const iss = text(local['iss']);
  if (iss !== undefined && iss !== api.issuer)
    return refused(by, `it is of the issuer ${iss}`, `get one of ${api.issuer}`);
  if (userinfo === 200)
    return refused(
      by,
      'it is valid, but not for the project of this API',
      `ask for the token with the scope urn:zitadel:iam:org:project:id:${api.projectId ?? '{project}'}:aud`,
    );
  return refused(
    by,
    'it has expired or was revoked, its session was ended, its user was deactivated, or it is no token of this Zitadel',
    'get a new one',
  );
}

function factsIn(token: string, claims: Claims): Omit<TokenReport, keyof Verdict> {
  const now = Date.now() / 1000;
  const { iat, exp, aud, scope } = claims;
  return {
    kind: kindOf(token, claims),
    ageSeconds: typeof iat === 'number' ? Math.round(now - iat) : null,
    expiresInSeconds: typeof exp === 'number' ? Math.round(exp - now) : null,
    audience: [aud ?? []].flat().map(String),
    roles: [...rolesFrom(claims)],
    scopes: typeof scope === 'string' ? scope.split(' ').filter(Boolean) : [],
  };
}

function kindOf(token: string, claims: Claims): string {
  if (!isToken(token)) return 'no token';
  if (isIdToken(claims)) return 'ID token';
  if (claims['active'] === true && claims['client_id'] === undefined) return 'personal access token';
  // Opaque tokens of Zitadel have five parts, as a JWE has.
  return token.split('.').length === 3 && isJwt(token) ? 'access token (JWT)' : 'opaque access token';
}

/** RFC 6750 2.1. */
const isToken = (text: string) => /^[\w.~+/-]+=*$/.test(text);

const isIdToken = (claims: Claims) => claims['nonce'] !== undefined || claims['at_hash'] !== undefined;

function isJwt(token: string): boolean {
  try {
    return decodeProtectedHeader(token).alg !== undefined;
  } catch {
    return false;
  }
}

function claimsIn(token: string): Claims {
  try {
    return decodeJwt(token);
  } catch {
    return {};
  }
}
