import { createHash } from 'node:crypto';
import type { Sandbox } from '../../../src/index.js';
import { assertion } from '../relying-party.js';
import { call, type HttpAnswer } from './http-call.js';

type Fields = Record<string, string | undefined>;

/** The tokens of a sign-in, or a code that is not redeemed yet. */
export interface LiveValues {
  code?: string;
  access_token?: string;
  refresh_token?: string;
  id_token?: string;
  /** the token of an impersonator */
  actor_token?: string;
  device_code?: string;
  user_code?: string;
  /** the cookie of the browser */
  cookie?: string;
}

/** A sign-in: the client, the user and additional parameters of the authorization request. */
export interface Login {
  app?: 'web' | 'second' | 'swagger' | 'implicit';
  person?: string;
  query?: Fields;
}

const usualScope = 'openid profile email offline_access';
export const verifier = 'v'.repeat(64);
const challenge = createHash('sha256').update(verifier).digest('base64url');
const redirectUris = {
  web: 'http://localhost:3119/auth/callback',
  second: 'http://localhost:3118/auth/callback',
  swagger: 'http://localhost:3117/api/oauth2-redirect.html',
  implicit: 'http://localhost:3119/auth/callback',
};

/** Obtains codes and tokens from a sandbox as a client does. */
export class LiveClient {
  constructor(readonly sandbox: Sandbox) {}

  /** The authorization response to a request with these parameters. */
  async signIn(
    query: Fields,
    person: string,
    form: Fields = {},
  ): Promise<{ answer: HttpAnswer; cookie: string }> {
    const started = await this.get('/oauth/v2/authorize', query);
    const login = new URL(String(started.headers['location']), this.sandbox.issuer);
    const authRequest =
      login.searchParams.get('authRequest') ?? login.searchParams.get('authRequestID') ?? '';
    const answer = await this.post(login.pathname, { authRequest, loginName: person, ...form });
    return { answer, cookie: cookieOf(answer) };
  }

  async code({ app = 'web', person = 'alice@acme.example', query = {} }: Login): Promise<LiveValues> {
    const { answer, cookie } = await this.signIn(this.authorizationRequest(app, query), person);
    const location = String(answer.headers['location']);
    return { code: new URL(location).searchParams.get('code') ?? '', cookie };
  }

  async tokens(login: Login = {}): Promise<LiveValues> {
    const app = login.app ?? 'web';
    const { code = '', cookie = '' } = await this.code(login);
    const client = this.sandbox.clients[app];
    const answer = await this.post('/oauth/v2/token', {
      grant_type: 'authorization_code',
      code,
      redirect_uri: redirectUris[app],
      client_id: client?.clientId,
      client_secret: client?.clientSecret,
      code_verifier: verifier,
    });
    return { code, cookie, ...tokensIn(answer) };
  }

  async serviceUserToken(loginName: string, scope: string): Promise<LiveValues> {
    const user = this.userNamed(loginName);
    const answer = await this.post('/oauth/v2/token', {
      grant_type: 'client_credentials',
      client_id: loginName,
      client_secret: user.clientSecret,
      scope,
    });
    return tokensIn(answer);
  }

  async assertedServiceUserToken(scope: string): Promise<LiveValues> {
    const { key } = this.userNamed('robot@acme.example');
    if (!key) throw new Error('robot@acme.example has no key');
    const answer = await this.post('/oauth/v2/token', {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await assertion(key, this.sandbox.issuer),
      scope,
    });
    return tokensIn(answer);
  }

  authorizationRequest(app: 'web' | 'second' | 'swagger' | 'implicit', query: Fields = {}): Fields {
    return {
      client_id: this.sandbox.clients[app]?.clientId,
      redirect_uri: redirectUris[app],
      response_type: 'code',
      scope: usualScope,
      state: 'st',
      nonce: 'no',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...query,
    };
  }

  userNamed(loginName: string) {
    const user = this.sandbox.users.find((one) => one.loginName === loginName);
    if (!user) throw new Error(`There is no user ${loginName}`);
    return user;
  }

  get(path: string, query: Fields = {}, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    const url = new URL(this.sandbox.issuer + path);
    url.search = encoded(query);
    return call({ method: 'GET', url, headers });
  }

  post(path: string, form: Fields): Promise<HttpAnswer> {
    return call({
      method: 'POST',
      url: new URL(this.sandbox.issuer + path),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: encoded(form),
    });
  }
}

function encoded(fields: Fields): string {
  const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return new URLSearchParams(given).toString();
}

function cookieOf({ headers }: HttpAnswer): string {
  return [headers['set-cookie'] ?? []]
    .flat()
    .map((line) => line.split(';')[0] ?? '')
    .join('; ');
}

/** The JSON of a token response. */
function tokensIn({ status, body }: HttpAnswer): LiveValues {
  if (status !== 200) throw new Error(`The token endpoint answered ${status} ${body}`);
  return JSON.parse(body) as LiveValues;
}
