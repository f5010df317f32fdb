import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { failed, type Fault } from './hostile/fault.js';
import { listening } from './listening.js';
import type { Login } from './hostile/login.js';
import { metadataOf } from './hostile/metadata.js';
import type { Mutation, TokenMutation } from './hostile/mutation.js';
import { mutations } from './hostile/mutations.js';
import { patched, type Fields } from './hostile/patch.js';
import { people, userinfoOf } from './hostile/people.js';
import { ProviderKeys } from './hostile/provider-keys.js';
import { recorded, type RecordedRequest } from './hostile/recorded-request.js';
import { byProvider } from './hostile/signers.js';

export interface ProviderOptions {
  /** changes the discovery document */
  metadata?: (original: Fields) => Fields;
  /** the algorithms with one key each; the first one signs. Default: RS256 */
  algorithms?: string[];
  /** keys and tokens without `kid` */
  withoutKid?: boolean;
  /** the path of the keys, in place of that of Zitadel */
  keysPath?: string;
}

/** Ids in the form of Zitadel: the web application, another application of its project, and the project. */
export const clientId = '330000000000000001';
const otherClientId = '330000000000000002';
const projectId = '320000000000000100';

const BACK_CHANNEL_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

type Handler = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

/** An OpenID provider like Zitadel that approves every sign-in at once and misbehaves as a test requests. */
export class HostileProvider {
  /** all requests, the oldest first */
  readonly requests: RecordedRequest[] = [];
  /** all approved sign-ins, the oldest first */
  readonly logins: Login[] = [];
  readonly keys: ProviderKeys;
  /** the megabytes that were read from responses with the fault `megabytes` */
  megabytesSent = 0;

  private readonly planned: Mutation[] = [];
  private readonly faults = new Map<string, Fault>();
  private readonly codes = new Map<string, Login>();
  private readonly refreshTokens = new Map<string, Login>();
  private readonly accessTokens = new Map<string, Login>();
  private readonly handlers: Record<string, Handler> = {
    '/.well-known/openid-configuration': (_, response) =>
      json(response, patched(metadataOf(this.issuer, this.keysPath), this.options.metadata)),
    '/oauth/v2/authorize': (request, response) => this.authorize(request, response),
    '/oauth/v2/token': (request, response) => this.token(request, response),
    '/oidc/v1/userinfo': (request, response) => this.userinfo(request, response),
    '/oauth/v2/revoke': (request, response) => this.revoke(request, response),
    '/oidc/v1/end_session': (request, response) => this.endSession(request, response),
  };

  constructor(
    readonly issuer: string,
    private readonly options: ProviderOptions,
    /** Stops the provider. */
    readonly close: () => Promise<void>,
  ) {
    this.keys = new ProviderKeys(options.algorithms ?? ['RS256'], !options.withoutKid);
    this.handlers[this.keysPath] = (_, response) => json(response, this.keys.jwks());
  }

  private get keysPath() {
    return this.options.keysPath ?? '/oauth/v2/keys';
  }

  /** Sets what goes wrong in the next sign-in. */
  next(mutation: Mutation) {
    this.planned.push(mutation);
  }

  /** Makes an endpoint fail from now on; `null` ends the fault. */
  fault(path: string, fault: Fault | null) {
    if (fault) this.faults.set(path, fault);
    else this.faults.delete(path);
  }

  requestsTo(path: string) {
    return this.requests.filter((request) => request.path === path);
  }

  /** The token requests with that grant_type. */
  grants(type: string) {
    return this.requestsTo('/oauth/v2/token').filter(({ form }) => form['grant_type'] === type);
  }

  /** The tokens in the revocation requests. */
  revokedTokens(): (string | undefined)[] {
    return this.requestsTo('/oauth/v2/revoke').map(({ form }) => form['token']);
  }

  get lastLogin(): Login {
    const login = this.logins.at(-1);
    if (!login) throw new Error('There was no sign-in');
    return login;
  }

  /** Revokes all refresh tokens. */
  forgetRefreshTokens() {
    this.refreshTokens.clear();
  }

  /** A back-channel logout token for a sign-in, as Zitadel issues it, with the mutation. */
  logoutToken(mutation: TokenMutation = {}, login = this.lastLogin): Promise<string> {
    const now = seconds();
    const claims = {
      iss: this.issuer,
      sub: login.person.sub,
      aud: [clientId],
      iat: now - 1,
      exp: now + 900,
      jti: randomBytes(12).toString('hex'),
      events: { [BACK_CHANNEL_EVENT]: {} },
      sid: login.sid,
    };
    return this.signed({ typ: 'JWT' }, claims, mutation);
  }

  async answer(request: RecordedRequest, response: ServerResponse) {
    this.requests.push(request);
    const fault = this.faults.get(request.path);
    if (fault?.times !== undefined)
      this.fault(request.path, fault.times > 1 ? { ...fault, times: fault.times - 1 } : null);
    if (fault && (await failed(fault, response, () => this.megabytesSent++))) return;
    const handler = this.handlers[request.path];
    if (handler) await handler(request, response);
    else json(response, { error: 'not_found' }, 404);
  }

  private authorize({ query }: RecordedRequest, response: ServerResponse) {
    const { state, nonce, scope = '', login_hint: hint = '' } = query;
    const redirectUri = query['redirect_uri'];
    if (!redirectUri || query['client_id'] !== clientId || query['response_type'] !== 'code')
      return json(response, { error: 'invalid_request' }, 400);
    const mutation = this.planned.shift() ?? own<Mutation>(mutations, hint) ?? {};
    const login: Login = {
      person: mutation.person ?? own(people, hint) ?? people.alice,
      mutation,
      sid: `${randomInt(1e8, 1e9)}${randomInt(1e8, 1e9)}`,
      code: secret('code'),
      clientId,
      redirectUri,
      scope,
      nonce,
      challenge: query['code_challenge_method'] === 'S256' ? query['code_challenge'] : undefined,
      authTime: seconds(),
      accessTokens: [],
      refreshTokens: [],
      idTokens: [],
    };
    this.logins.push(login);
    this.codes.set(login.code, login);
    redirect(response, redirectUri, patched({ code: login.code, state }, mutation.callback));
  }

  private async token({ form, headers }: RecordedRequest, response: ServerResponse) {
    if (clientOf(form, headers.authorization) !== clientId)
      return json(response, { error: 'invalid_client' }, 400);
    const isCode = form['grant_type'] === 'authorization_code';
    const login = isCode ? this.redeemed(form) : this.exchanged(form);
    if (!login) return json(response, { error: 'invalid_request', error_description: 'Errors.Invalid' }, 400);
    if (isCode && login.mutation.rotateKeys) this.keys.rotate();
    const { idToken, tokenAnswer } = isCode ? login.mutation : (login.mutation.refresh ?? {});
    json(response, patched(await this.tokens(login, idToken), tokenAnswer));
  }

  private redeemed({ code = '', code_verifier: verifier = '', redirect_uri: uri }: Record<string, string>) {
    const login = this.codes.get(code);
    if (!login || uri !== login.redirectUri) return undefined;
    if (login.challenge && sha256(verifier).toString('base64url') !== login.challenge) return undefined;
    this.codes.delete(code);
    return login;
  }

  private exchanged({ refresh_token: token = '' }: Record<string, string>) {
    const login = this.refreshTokens.get(token);
    this.refreshTokens.delete(token);
    return login;
  }

  private async tokens(login: Login, mutation: TokenMutation | undefined) {
    for (const old of login.accessTokens) this.accessTokens.delete(old);
    const accessToken = secret('at');
    const refreshToken = secret('rt');
    const idToken = await this.signed({}, this.idTokenClaims(login, accessToken), mutation);
    login.accessTokens.push(accessToken);
    login.refreshTokens.push(refreshToken);
    login.idTokens.push(idToken);
    this.accessTokens.set(accessToken, login);
    this.refreshTokens.set(refreshToken, login);
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      refresh_token: refreshToken,
      expires_in: 43_199,
      id_token: idToken,
    };
  }

  private idTokenClaims({ person, nonce, authTime, sid }: Login, accessToken: string) {
    const now = seconds();
    return {
      iss: this.issuer,
      sub: person.sub,
      aud: [clientId, otherClientId, projectId],
      exp: now + 43_200,
      iat: now,
      auth_time: authTime,
      nonce,
      amr: ['pwd'],
      azp: clientId,
      client_id: clientId,
      at_hash: sha256(accessToken).subarray(0, 16).toString('base64url'),
      sid,
    };
  }

  private signed(header: Fields, claims: Fields, mutation: TokenMutation = {}) {
    const sign = mutation.sign ?? byProvider();
    return sign(patched(header, mutation.header), patched(claims, mutation.claims), this.keys);
  }

  private userinfo({ headers }: RecordedRequest, response: ServerResponse) {
    const login = this.accessTokens.get(headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (!login) return json(response, { error: 'access_denied' }, 401);
    json(response, patched(userinfoOf(login.person), login.mutation.userinfo));
  }

  private revoke({ form }: RecordedRequest, response: ServerResponse) {
    this.refreshTokens.delete(form['token'] ?? '');
    response.writeHead(200).end();
  }

  private endSession({ query, form }: RecordedRequest, response: ServerResponse) {
    const { post_logout_redirect_uri: target, id_token_hint: hint = '', state } = { ...query, ...form };
    if (!target) return json(response, { ended: true });
    const login = this.logins.find(({ idTokens }) => idTokens.includes(hint));
    redirect(response, target, patched(state === undefined ? {} : { state }, login?.mutation.logoutReturn));
  }
}

export async function startHostileProvider(options: ProviderOptions = {}): Promise<HostileProvider> {
  const listener = await listening((request, response) => {
    void recorded(request)
      .then((known) => provider.answer(known, response))
      .catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  const provider: HostileProvider = new HostileProvider(listener.origin, options, async () => {
    await listener.close();
    provider.keys.release();
  });
  return provider;
}

/** The client that authenticates the request, in the header or the form. */
function clientOf(form: Record<string, string>, authorization = ''): string | undefined {
  const [, basic] = /^Basic (.+)$/.exec(authorization) ?? [];
  return basic ? Buffer.from(basic, 'base64').toString().split(':')[0] : form['client_id'];
}

function redirect(response: ServerResponse, to: string, query: Fields) {
  const url = new URL(to);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat() as (string | undefined)[])
      if (one !== undefined) url.searchParams.append(name, one);
  }
  response.writeHead(302, { location: url.href }).end();
}

function json(response: ServerResponse, body: Fields, status = 200) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}

/** Has a prefix that tests search for. */
const secret = (kind: string) => `${kind}-${randomBytes(32).toString('base64url')}`;

const sha256 = (text: string) => createHash('sha256').update(text).digest();
const seconds = () => Math.floor(Date.now() / 1000);

const own = <T>(record: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;
