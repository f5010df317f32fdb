import { createHash, createPrivateKey } from 'node:crypto';
import { decodeJwt, SignJWT, type JWTPayload } from 'jose';
import {
  startSandbox,
  type ApplicationKeyFile,
  type Sandbox,
  type SandboxClient,
  type SandboxOptions,
  type ServiceUserKeyFile,
} from '../../src/index.js';
import { Browser, type Answer } from './browser.js';

type Parameters = Record<string, string | undefined>;

export const alice = 'alice@acme.example';
export const bob = 'bob@acme.example';
export const carol = 'carol@globex.example';

export const verifier = 'a-verifier-of-more-than-forty-three-characters-in-all';
const challenge = createHash('sha256').update(verifier).digest('base64url');
const fullScope = 'openid profile email phone offline_access';

/** A client of the sandbox: opens the login page, redeems codes and calls endpoints. */
export class RelyingParty {
  readonly browser = new Browser();

  constructor(
    readonly sandbox: Sandbox,
    readonly client: SandboxClient = sandbox.clients.web,
    readonly redirectUri = 'http://localhost:3000/auth/callback',
  ) {}

  url(path: string, parameters: Parameters = {}): string {
    const given = Object.entries(parameters).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    return `${this.sandbox.issuer}${path}?${new URLSearchParams(given).toString()}`;
  }

  authorizeUrl(overrides: Parameters = {}): string {
    return this.url('/oauth/v2/authorize', {
      client_id: this.client.clientId,
      redirect_uri: this.redirectUri,
      response_type: 'code',
      scope: fullScope,
      state: 'the-state',
      nonce: 'the-nonce',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      ...overrides,
    });
  }

  authorize(overrides: Parameters = {}): Promise<Answer> {
    return this.browser.get(this.authorizeUrl(overrides));
  }

  /** Sends an authorization request and follows redirects of the sandbox to a login page or the authorization response. */
  login(overrides: Parameters = {}): Promise<Answer> {
    return this.follow(this.authorizeUrl(overrides));
  }

  async follow(url: string): Promise<Answer> {
    const answer = await this.browser.get(url);
    return this.isSandbox(answer.location) ? this.follow(answer.location) : answer;
  }

  /** Submits the form with this action on a login page, by a button to another address if given, and follows redirects of the sandbox. */
  async submit(page: Answer, action: string, fields: Record<string, string>, to = action): Promise<Answer> {
    const answer = await this.send(page, action, fields, to);
    return this.isSandbox(answer.location) ? this.follow(answer.location) : answer;
  }

  /** Submits a form as `submit` does, and follows no redirect. */
  send(page: Answer, action: string, fields: Record<string, string>, to = action): Promise<Answer> {
    const [, inner = ''] =
      new RegExp(`<form[^>]* action="${action}"[^>]*>(.*?)</form>`, 's').exec(page.text) ?? [];
    const hidden = [...inner.matchAll(/<input type="(?:hidden|text)" name="([^"]*)" value="([^"]*)"/g)];
    if (hidden.length === 0) throw new Error(`No form for ${action} on: ${page.text}`);
    const form = Object.fromEntries(hidden.map(([, name = '', value = '']) => [name, value]));
    const { origin } = new URL(page.url);
    return this.browser.post(`${origin}${to}`, { ...form, ...fields });
  }

  private isSandbox(location: string): boolean {
    const { issuer, loginOrigin } = this.sandbox;
    return [issuer, loginOrigin].some((origin) => location.startsWith(`${origin}/`));
  }

  /** Sends an authorization request and chooses a user on the login page. */
  async choose(loginName: string, overrides: Parameters = {}): Promise<Answer> {
    const { location } = await this.authorize(overrides);
    const url = new URL(location);
    const authRequest = url.searchParams.get('authRequest') ?? url.searchParams.get('authRequestID') ?? '';
    return this.browser.post(`${url.origin}${url.pathname}`, { authRequest, loginName });
  }

  /** The parameters of the authorization response for this user. */
  async callback(loginName: string, overrides: Parameters = {}): Promise<URLSearchParams> {
    const { location } = await this.choose(loginName, overrides);
    return new URL(location).searchParams;
  }

  async code(loginName = 'alice@acme.example', overrides: Parameters = {}): Promise<string> {
    return (await this.callback(loginName, overrides)).get('code') ?? '';
  }

  token(form: Parameters, headers: Record<string, string> = {}): Promise<Answer> {
    const fields = { client_id: this.client.clientId, ...form };
    const given = Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return new Browser().post(`${this.sandbox.issuer}/oauth/v2/token`, Object.fromEntries(given), headers);
  }

  redeem(code: string, overrides: Parameters = {}): Promise<Answer> {
    return this.token({
      grant_type: 'authorization_code',
      code,
      redirect_uri: this.redirectUri,
      code_verifier: verifier,
      ...overrides,
    });
  }

  /** The tokens of a new sign-in. */
  async signIn(
    loginName = 'alice@acme.example',
    overrides: Parameters = {},
    form: Parameters = {},
  ): Promise<Tokens> {
    const answer = await this.redeem(await this.code(loginName, overrides), form);
    return tokensFrom(answer);
  }

  /** Redeems the code of an authorization response. */
  async tokensOf({ location }: Answer): Promise<Tokens> {
    return tokensFrom(await this.redeem(new URL(location).searchParams.get('code') ?? ''));
  }

  refresh(refreshToken: string, overrides: Parameters = {}): Promise<Answer> {
    return this.token({ grant_type: 'refresh_token', refresh_token: refreshToken, ...overrides });
  }

  userinfo(accessToken: string): Promise<Answer> {
    return new Browser().get(`${this.sandbox.issuer}/oidc/v1/userinfo`, {
      authorization: `Bearer ${accessToken}`,
    });
  }

  revoke(token: string, form: Parameters = {}): Promise<Answer> {
    return new Browser().post(`${this.sandbox.issuer}/oauth/v2/revoke`, {
      token,
      client_id: this.client.clientId,
      ...(form as Record<string, string>),
    });
  }

  endSession(parameters: Parameters): Promise<Answer> {
    return this.browser.get(this.url('/oidc/v1/end_session', parameters));
  }
}

/** The token response with the claims of the ID token. */
export interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
  expires_in: number;
  claims: JWTPayload;
  body: Record<string, unknown>;
}

export function tokensFrom({ status, json, text }: Answer): Tokens {
  if (status !== 200) throw new Error(`The token endpoint answered ${status} ${text}`);
  const idToken = json['id_token'] as string | undefined;
  return {
    access_token: json['access_token'] as string,
    refresh_token: (json['refresh_token'] ?? '') as string,
    id_token: idToken ?? '',
    expires_in: json['expires_in'] as number,
    claims: idToken === undefined ? {} : decodeJwt(idToken),
    body: json,
  };
}

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** An assertion as a client or service user makes it from its key JSON. Overrides of undefined remove a claim. */
export function assertion(
  keyFile: ApplicationKeyFile | ServiceUserKeyFile,
  issuer: string,
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): Promise<string> {
  const owner = keyFile.type === 'application' ? keyFile.clientId : keyFile.userId;
  const now = Math.floor(Date.now() / 1000);
  const payload = { iss: owner, sub: owner, aud: issuer, iat: now, exp: now + 300, ...claims };
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'RS256', kid: keyFile.keyId, ...header })
    .sign(createPrivateKey(keyFile.key));
}

/** Calls the introspection endpoint as an API application with its key. */
export async function introspect(
  sandbox: Sandbox,
  token: string | undefined,
  keyFile: ApplicationKeyFile = sandbox.clients.api.key,
  form: Record<string, string> = {},
): Promise<Answer> {
  return new Browser().post(`${sandbox.issuer}/oauth/v2/introspect`, {
    ...(token !== undefined && { token }),
    client_assertion_type: assertionType,
    client_assertion: await assertion(keyFile, sandbox.issuer),
    ...form,
  });
}

/** The `active` of an introspection response. */
export async function isActive(sandbox: Sandbox, token: string): Promise<unknown> {
  return (await introspect(sandbox, token)).json['active'];
}

/** Runs `use` with a second sandbox and closes it afterwards. */
export async function withSandbox<Result>(
  options: SandboxOptions,
  use: (other: Sandbox) => Promise<Result>,
): Promise<Result> {
  const other = await startSandbox(options);
  try {
    return await use(other);
  } finally {
    await other.close();
  }
}

export function basic(id: string, secret: string): Record<string, string> {
  const credentials = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
