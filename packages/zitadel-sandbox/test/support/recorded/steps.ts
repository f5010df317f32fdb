import { answerAtLoginV1 } from './device-pages.js';
import type { LiveClient, LiveValues, Login } from './live-values.js';

/** The step before an exchange, and the tokens of the exchange. */
export type Step = (live: LiveClient, earlier: Earlier) => Promise<LiveValues>;

/** The results of earlier steps and exchanges. */
export interface Earlier {
  /** the same values for every exchange that names `key` */
  shared(key: string, make: () => Promise<LiveValues>): Promise<LiveValues>;
  /** the JSON response of the exchange with that name in the same file */
  answered(name: string): LiveValues;
}

const carol = 'carol@globex.example';
const bob = 'bob@acme.example';
const plain = 'z'.repeat(43);
const project = 'urn:zitadel:iam:org:project';
const ownProject = `${project}:id:320000000000000100:aud`;
const allRoles = 'urn:zitadel:iam:org:projects:roles';
const withoutChallenge = { code_challenge: undefined, code_challenge_method: undefined };

const code =
  (login: Login = {}): Step =>
  (live) =>
    live.code(login);
const fresh =
  (login: Login = {}): Step =>
  (live) =>
    live.tokens(login);
const shared =
  (key: string, step: Step): Step =>
  (live, earlier) =>
    earlier.shared(key, () => step(live, earlier));
const scoped = (scope: string, login: Login = {}): Step => fresh({ ...login, query: { scope } });
const serviceUser =
  (scope: string, loginName = 'robot@acme.example'): Step =>
  (live) =>
    live.serviceUserToken(loginName, scope);
const assertedServiceUser: Step = (live) => live.assertedServiceUserToken(`openid profile ${ownProject}`);
const after =
  (step: Step, effect: (live: LiveClient, values: LiveValues) => Promise<unknown>): Step =>
  async (live, earlier) => {
    const values = await step(live, earlier);
    await effect(live, values);
    return values;
  };
const answered =
  (name: string): Step =>
  (_live, earlier) =>
    Promise.resolve(earlier.answered(name));
/** Tokens whose access token and ID token have expired. */
const expired =
  (step: Step): Step =>
  async (live, earlier) => {
    live.sandbox.setAccessTokenTtl(0);
    live.sandbox.setIdTokenTtl(0);
    try {
      return await step(live, earlier);
    } finally {
      live.sandbox.setAccessTokenTtl(43_200);
      live.sandbox.setIdTokenTtl(43_200);
    }
  };

const clientIdOf = (live: LiveClient, app: 'web' | 'second' = 'web'): string =>
  live.sandbox.clients[app].clientId;
const revoke =
  (kind: 'access_token' | 'refresh_token', app: 'web' | 'second' = 'web', form = {}) =>
  (live: LiveClient, values: LiveValues): Promise<unknown> =>
    live.post('/oauth/v2/revoke', { token: values[kind], client_id: clientIdOf(live, app), ...form });
const endSession = (live: LiveClient, { id_token }: LiveValues): Promise<unknown> =>
  live.get('/oidc/v1/end_session', { id_token_hint: id_token });
const refresh = (live: LiveClient, { refresh_token }: LiveValues): Promise<unknown> =>
  live.post('/oauth/v2/token', { grant_type: 'refresh_token', refresh_token, client_id: clientIdOf(live) });
const deactivate =
  (loginName: string) =>
  (live: LiveClient): Promise<unknown> =>
    Promise.resolve(live.sandbox.setUserActive(loginName, false));
const expireRefreshTokens = (live: LiveClient): Promise<unknown> =>
  Promise.resolve(live.sandbox.expire('refresh_tokens'));
const endSessions = (live: LiveClient): Promise<unknown> => Promise.resolve(live.sandbox.expire('sessions'));

const device: Step = async (live) => {
  const answer = await live.post('/oauth/v2/device_authorization', {
    client_id: live.sandbox.clients.device?.clientId,
    scope: 'openid profile offline_access',
  });
  return JSON.parse(answer.body) as LiveValues;
};
const answerDevice =
  (action: 'allowed' | 'denied') =>
  (live: LiveClient, { user_code }: LiveValues): Promise<unknown> =>
    live.post('/ui/v2/login/device', { user_code, loginName: 'alice@acme.example', action });

const expireDeviceCodes = (live: LiveClient): Promise<unknown> =>
  Promise.resolve(live.sandbox.expire('device_codes'));
/** The tokens of Alice, and the access token of somebody who acts for her. */
const withActor =
  (person: string): Step =>
  async (live) => {
    const { access_token = '' } = await live.tokens({ person });
    return { ...(await live.tokens({ person: 'alice' })), actor_token: access_token };
  };

const second = { app: 'second' } as const;
const metadata = 'urn:zitadel:iam:user:metadata';
const resourceOwner = 'urn:zitadel:iam:user:resourceowner';
const acme = '320000000000000001';
const allScopes = `openid ${metadata} ${resourceOwner} urn:zitadel:iam:org:id:${acme} ${allRoles} ${ownProject}`;

/** By `file/name`; the first match applies. Without a match, the tokens of one usual sign-in are used. */
const steps: [RegExp, Step][] = [
  [
    /^token\/code: (wrong redirect_uri|verifier missing|wrong verifier|other client|success after|used twice)/,
    shared('code', code()),
  ],
  [/^token\/code V1:/, shared('code V1', code(second))],
  [/^token\/code: success, scope openid$/, code({ query: { scope: 'openid' } })],
  [/^token\/code: success, scope profile$/, code({ query: { scope: 'profile' } })],
  [/^token\/code: success, no nonce$/, code({ query: { nonce: undefined } })],
  [/^token\/code: success, offline_access without the refresh grant$/, code({ app: 'swagger' })],
  [/^token\/code: no challenge, .*NONE$/, shared('no challenge', code({ query: withoutChallenge }))],
  [/^token\/code: no challenge, .*BASIC$/, code({ query: withoutChallenge })],
  [
    /^token\/code: plain challenge/,
    code({ query: { code_challenge: plain, code_challenge_method: 'plain' } }),
  ],
  [
    /^token\/code: challenge without method/,
    code({ query: { code_challenge: plain, code_challenge_method: undefined } }),
  ],
  [
    /^token\/code: challenge with unknown method/,
    code({ query: { code_challenge: plain, code_challenge_method: 'foo' } }),
  ],
  [/^token\/code: success, e-mail not verified$/, code({ person: bob })],
  [/^token\/code: success, role granted by another organization$/, code({ person: carol })],
  [/^token\/code: success, all zitadel scopes/, code({ query: { scope: allScopes } })],
  [/^token\/code: session ended before/, after(code(), endSessions)],
  [/^token\/code: user deactivated$/, after(code({ person: carol }), deactivate(carol))],
  [/^token\/code: /, code()],
  [/^token\/token-exchange, app with the grant/, shared('implicit', (live) => implicitToken(live))],

  [/^refresh\/success$/, shared('refreshed', fresh())],
  [/^refresh\/used twice$/, shared('refreshed', fresh())],
  [/^refresh\/narrowed scope$/, fresh()],
  [/^refresh\/after a narrowed scope, no scope$/, answered('narrowed scope')],
  [/^refresh\/narrowed scope without/, answered('after a narrowed scope, no scope')],
  [/^refresh\/success, parameters in the query$/, fresh()],
  [/^refresh\/revoked$/, after(fresh(), revoke('refresh_token'))],
  [/^refresh\/after the access token was revoked$/, after(fresh(), revoke('access_token'))],
  [/^refresh\/after end_session, Login V2$/, after(fresh(), endSession)],
  [/^refresh\/success, Login V1$/, fresh(second)],
  [/^refresh\/after end_session, Login V1$/, after(fresh(second), endSession)],
  [/^refresh\/(success, JWT|BASIC)/, fresh()],
  [/^refresh\/expired$/, after(fresh(), expireRefreshTokens)],
  [/^refresh\/user deactivated$/, after(fresh({ person: carol }), deactivate(carol))],

  [/^userinfo\/access token of before the refresh$/, after(fresh(), refresh)],
  [/^userinfo\/e-mail not verified$/, fresh({ person: bob })],
  [/^userinfo\/role granted by another organization$/, fresh({ person: carol })],
  [/^userinfo\/scope phone, none set$/, scoped('openid phone', { person: bob })],
  [/^userinfo\/metadata, none set$/, scoped(`openid ${metadata}`, { person: bob })],
  [/^userinfo\/scope openid$/, scoped('openid')],
  [/^userinfo\/scope profile$/, scoped('profile')],
  [/^userinfo\/scope phone$/, scoped('openid phone')],
  [/^userinfo\/scope address$/, scoped('openid address')],
  [/^userinfo\/metadata$/, scoped(`openid ${metadata}`)],
  [/^userinfo\/resourceowner$/, scoped(`openid ${resourceOwner}`)],
  [/^userinfo\/org id$/, scoped(`openid urn:zitadel:iam:org:id:${acme}`)],
  [/^userinfo\/org domain$/, scoped('openid urn:zitadel:iam:org:domain:primary:acme.example')],
  [/^userinfo\/(no role assertion: )?projects roles and aud$/, scoped(`openid ${allRoles} ${ownProject}`)],
  [/^userinfo\/no role assertion: openid$/, scoped('openid')],
  [/^userinfo\/no role assertion: projects roles alone$/, scoped(`openid ${allRoles}`)],
  [/^userinfo\/(no )?role assertion: role scope$/, scoped(`openid ${project}:role:admin`)],
  [/^userinfo\/no role assertion: aud alone$/, scoped(`openid ${ownProject}`)],
  [/^userinfo\/roles of one organization$/, scoped('openid urn:zitadel:iam:org:roles:id:320000000000000002')],
  [/^userinfo\/groups$/, scoped('openid groups urn:zitadel:iam:user:groups')],
  [/^userinfo\/service user, openid profile$/, serviceUser('openid profile')],
  [/^userinfo\/service user, profile$/, serviceUser('profile')],
  [
    /^userinfo\/service user, openid email/,
    serviceUser(`openid email phone ${allRoles} ${ownProject} ${metadata}`),
  ],
  [/^userinfo\/service user, roles without aud$/, serviceUser(`openid ${allRoles}`)],
  [/^userinfo\/service user, aud without roles$/, serviceUser(`openid ${ownProject}`)],
  [
    /^userinfo\/service user, role scope and aud$/,
    serviceUser(`openid ${project}:role:viewer ${ownProject}`),
  ],
  [
    /^userinfo\/after revocation with the wrong hint$/,
    after(fresh(), revoke('access_token', 'web', { token_type_hint: 'refresh_token' })),
  ],
  [/^userinfo\/JWT access token revoked$/, after(fresh(), revoke('access_token'))],
  [/^userinfo\/V1: access token of a revoked/, after(fresh(second), revoke('refresh_token', 'second'))],
  [/^userinfo\/expired access token$/, expired(fresh())],
  [/^userinfo\/user deactivated$/, after(fresh({ person: carol }), deactivate(carol))],

  [/^introspection\/code$/, code()],
  [/^introspection\/service user, openid aud$/, serviceUser(`openid ${ownProject}`)],
  [/^introspection\/service user, openid profile aud$/, serviceUser(`openid profile ${ownProject}`)],
  [/^introspection\/service user, no aud$/, serviceUser('openid profile')],
  [/^introspection\/service user, aud and roles$/, serviceUser(`openid ${allRoles} ${ownProject}`)],
  [
    /^introspection\/service user, JWT$/,
    serviceUser(`openid profile ${ownProject}`, 'robotjwt@acme.example'),
  ],
  [/^introspection\/service user, jwt-bearer$/, assertedServiceUser],
  [/^introspection\/JWT access token, revoked$/, after(fresh(), revoke('access_token'))],
  [/^introspection\/revoked access token$/, after(fresh(), revoke('access_token'))],
  [/^introspection\/access token of a revoked refresh token$/, after(fresh(), revoke('refresh_token'))],
  [/^introspection\/access token after end_session$/, after(fresh(), endSession)],
  [/^introspection\/access token after end_session, Login V1$/, after(fresh(second), endSession)],
  [
    /^introspection\/all scopes$/,
    scoped(`openid profile email phone ${metadata} ${resourceOwner} ${allRoles} ${ownProject}`),
  ],
  [/^introspection\/(scope openid|no role assertion)$/, scoped('openid')],
  [/^introspection\/scope profile$/, scoped('profile')],
  [/^introspection\/Login V1$/, fresh(second)],
  [/^introspection\/expired/, expired(fresh())],
  [/^introspection\/user deactivated$/, after(fresh({ person: carol }), deactivate(carol))],

  [/^revocation\/access token(, other app of the project| again)$/, shared('revoked access token', fresh())],
  [
    /^revocation\/refresh token(, other app of the project| again)$/,
    shared('revoked refresh token', fresh()),
  ],
  [/^revocation\/V1: refresh token$/, fresh(second)],
  [/^revocation\/expired/, expired(fresh())],
  [/^revocation\/(the|access token|refresh token|JWT|ID token|parameters)/, fresh()],

  [/^end-session\/(hint, uri, state|the same again)$/, shared('ended', fresh())],
  [/^end-session\/(with hint V1|V1 hint)/, fresh(second)],
  [/^end-session\/expired hint$/, expired(fresh())],
  [/^end-session\/.*hint/, fresh()],

  [/^device\/token: (pending|app without)/, answered('start')],
  [/^device\/token: approved$/, after(answered('start'), answerDevice('allowed'))],
  [/^device\/token: used twice$/, answered('start')],
  [/^device\/token: denied$/, after(device, answerDevice('denied'))],

  [/^device-and-exchange\/poll: (pending|an app|device code used)/, answered('device authorization')],
  [/^device-and-exchange\/poll: signed in/, after(answered('device authorization'), answerAtLoginV1())],
  [
    /^device-and-exchange\/poll: allowed/,
    after(answered('device authorization'), answerAtLoginV1('allowed')),
  ],
  [/^device-and-exchange\/poll: after Deny/, after(device, answerAtLoginV1('denied'))],
  [/^device-and-exchange\/poll: device code expired/, after(device, expireDeviceCodes)],
  [/^device-and-exchange\/device tokens: /, answered('poll: allowed')],
  [
    /^device-and-exchange\/token exchange: .* the new token$/,
    answered('token exchange: access token, nothing else'),
  ],
  [/^device-and-exchange\/impersonation: /, answered('token exchange: impersonation, JWT asked')],
  [/^device-and-exchange\/.*without the role/, withActor('dave')],
  [/^device-and-exchange\/.*(actor|impersonation|both)/, withActor('carol')],
  [/^device-and-exchange\/token exchange/, shared('alice', fresh({ person: 'alice' }))],
];

const usualLogin: Step = (live, earlier) => earlier.shared('usual', () => live.tokens());

/** The step before the exchange of that name. */
export function stepBefore(name: string): Step {
  return steps.find(([pattern]) => pattern.test(name))?.[1] ?? usualLogin;
}

async function implicitToken(live: LiveClient): Promise<LiveValues> {
  const { answer } = await live.signIn(
    live.authorizationRequest('implicit', { response_type: 'id_token token' }),
    'alice@acme.example',
  );
  const fragment = new URL(String(answer.headers['location'])).hash.slice(1);
  return Object.fromEntries(new URLSearchParams(fragment));
}
