import { callerIn } from '../bearer/introspection-answer.js';
import { rolesFrom } from '../claims/claims.js';
import { cureFor, inactiveBecause, isToken, kindOf, localClaims } from '../tokens/presented-token.js';
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
  const local = localClaims(token);
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
      ? refused('checks of the API', caller.refused, cureFor(caller.refused, api.projectId))
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

/** Zitadel gives no reason for `active: false`. */
function whyInactive(local: Claims, userinfo: number | undefined, api: ApiSettings): Verdict {
  const by = 'introspection (active: false)';
  const known = inactiveBecause(local, api.issuer);
  if (known) return refused(by, known.cause, known.cure);
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
