import { hash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { decode } from '@auth/core/jwt';
import { SignInFailed, type SignInFailure } from '../auth.errors.js';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { JweKey } from '../session/jwe-key.js';
import { isExpired } from '../session/session-codec.js';
import { setCookie } from '../session/session-cookie.js';
import { ReturnTargets } from './return-targets.js';
import { LoginStates, type LoginState } from './login-state.js';

/** Maximum time between the start of a sign-in and its callback. */
const LIFETIME_SECONDS = 900;

/** Pending sign-ins of one browser… */
const MAX_TRANSACTIONS = 5;

/** …and characters of their cookies: servers accept 8 KB of request headers. */
const MAX_COOKIE_LENGTH = 3_500;

/** Of a PKCE verifier (RFC 7636 4.1) and of a nonce. */
const CHECK_BYTES = 32;

/** One pending sign-in. Each has its own cookie, so that sign-ins in several tabs do not interfere. */
export interface LoginTransaction {
  provider: string;
  /** page after sign-in */
  returnTo: string;
  /** requested `max_age`, seconds */
  maxAge?: number | undefined;
  prompt?: string | undefined;
  loginHint?: string | undefined;
  /** what `SignInPolicy.kept` returned */
  kept: Record<string, string>;
  /** 0, or 1 when the sign-in was restarted automatically */
  attempt: number;
  /** PKCE verifier and nonce, where the provider has these checks */
  checks: { pkce?: string; nonce?: string };
}

/** The content of the cookie. Other versions of the program read it, too: `returnTo` is `target` there, and older cookies lack two members. */
type Stored = Omit<LoginTransaction, 'kept' | 'attempt' | 'returnTo'> &
  Partial<Pick<LoginTransaction, 'kept' | 'attempt'>> & { target: string };

/** A pending sign-in whose callback has arrived. */
export interface FinishedTransaction extends LoginTransaction {
  /** time since its start, seconds */
  elapsedSeconds: number;
}

/** A callback of this browser whose cookie is gone: it expired, or an earlier callback has used it. */
export interface StaleCallback {
  stale: Extract<SignInFailure, 'login_timed_out' | 'login_already_used'>;
  attempt: number;
}

/** Binds each authorization request to the browser that started it (RFC 9700 4.7). */
@Injectable()
export class LoginTransactions {
  private readonly states: LoginStates;
  private readonly prefix: string;
  private readonly formerPrefix: string;
  private readonly nonceKey: JweKey;

  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(ReturnTargets) private readonly returnTargets: ReturnTargets,
  ) {
    this.states = new LoginStates(options.secrets);
    const { name, formerName } = options.loginCookie;
    this.prefix = `${name}.`;
    this.formerPrefix = `${formerName ?? name}.`;
    this.nonceKey = keyFor(options.secrets[0], options.nonceCookie.name);
  }

  /**
   * Creates the checks of an authorization request, and stores them in a cookie for its callback. Auth.js, which compares them there,
   * would encrypt each of them into a cookie of its own.
   *
   * @returns the parameters of the authorization request
   */
  begin(
    started: Omit<LoginTransaction, 'checks'>,
    request: HttpRequest,
    response: HttpResponse,
  ): Record<string, string> {
    const names = this.options.checks.get(started.provider);
    const { returnTo: target, ...rest } = started;
    const checks: LoginTransaction['checks'] = {};
    for (const name of ['pkce', 'nonce'] as const)
      if (names?.includes(name)) checks[name] = randomBytes(CHECK_BYTES).toString('base64url');
    const stored: Stored = { ...rest, target, checks };
    const browser = this.fingerprint(this.csrf.token(request, response));
    const { state, id } = this.states.issue({ browser, attempt: isRestartable(started) ? 0 : 1 });
    const name = this.prefix + id;
    const exp = Math.floor(Date.now() / 1000) + LIFETIME_SECONDS;
    const value = keyFor(this.options.secrets[0], name).encrypt(JSON.stringify({ ...stored, exp }));
    this.deleteOldest(value.length, request, response);
    setCookie(response, name, value, { ...this.options.loginCookie.options, maxAge: LIFETIME_SECONDS });
    const { pkce, nonce } = checks;
    return {
      state,
      ...(nonce === undefined ? {} : { nonce }),
      ...(pkce === undefined
        ? {}
        : { code_challenge: hash('sha256', pkce, 'base64url'), code_challenge_method: 'S256' }),
    };
  }

  /**
   * Returns the sign-in that a callback belongs to, and deletes its cookie.
   *
   * @throws `SignInFailed` when this browser has not started it
   */
  async redeem(
    states: readonly string[],
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<FinishedTransaction | StaleCallback> {
    const [given = '', ...others] = states;
    const state = others.length === 0 ? this.states.verify(given) : null;
    if (!state) throw new SignInFailed('state_invalid');
    const { cookies } = stateOf(request);
    const name =
      [this.prefix, this.formerPrefix].map((prefix) => prefix + state.id).find((own) => cookies[own]) ?? '';
    const transaction = await this.decrypted(name, cookies[name]);
    if (transaction) {
      this.deleteCookie(name, response);
      const { target: returnTo, ...stored } = transaction;
      return { kept: {}, attempt: state.attempt, returnTo, ...stored, elapsedSeconds: ageOf(state) };
    }
    if (!request.headers.cookie) throw new SignInFailed('cookie_missing');
    const token = this.csrf.known(request);
    if (!token || this.fingerprint(token) !== state.browser) throw new SignInFailed('other_browser');
    const isLate = ageOf(state) > LIFETIME_SECONDS;
    return { stale: isLate ? 'login_timed_out' : 'login_already_used', attempt: state.attempt };
  }

  /** Returns the cookie in which Auth.js expects the nonce with the callback. */
  nonceCookie({ provider, checks: { nonce: value } }: LoginTransaction): string {
    return this.nonceKey.encrypt(JSON.stringify({ value, provider }));
  }

  private async decrypted(name: string, value: string | undefined): Promise<Stored | null> {
    if (!value) return null;
    for (const secret of this.options.secrets) {
      const content = keyFor(secret, name).decrypt(value);
      if (!content) continue;
      const stored = JSON.parse(content.toString()) as Stored & { exp: number };
      return isExpired(stored) ? null : stored;
    }
    // The cookie of a version that encrypted it with `encode` of Auth.js.
    return decode<Stored>({ token: value, secret: [...this.options.secrets], salt: name }).catch(() => null);
  }

  private deleteOldest(added: number, request: HttpRequest, response: HttpResponse) {
    const { cookies } = stateOf(request);
    const newestFirst = Object.entries(cookies)
      .filter(([name]) => name.startsWith(this.prefix))
      .sort(([a], [b]) => (a < b ? 1 : -1));
    let length = added + this.returnTargets.lengthIn(request);
    for (const [index, [name, value = '']] of newestFirst.entries()) {
      length += name.length + value.length;
      if (index + 1 >= MAX_TRANSACTIONS || length > MAX_COOKIE_LENGTH) this.deleteCookie(name, response);
    }
  }

  private deleteCookie(name: string, response: HttpResponse) {
    setCookie(response, name, '', { ...this.options.loginCookie.options, maxAge: 0 });
  }

  private fingerprint(csrfToken: string): string {
    return hash('sha256', csrfToken, 'buffer').subarray(0, 8).toString('base64url');
  }
}

/** The key that Auth.js derives for a cookie. Without a `kid` it tries its first secret only. */
const keyFor = (secret: string, salt: string) =>
  new JweKey({ secret, salt, use: `Auth.js Generated Encryption Key (${salt})`, isNamed: false });

const ageOf = ({ issuedAt }: LoginState) => Date.now() / 1000 - issuedAt;

/** Only once, and only when the lost cookie held no condition that the result has to meet. */
const isRestartable = ({ attempt, maxAge, kept }: Omit<LoginTransaction, 'checks'>) =>
  attempt === 0 && maxAge === undefined && Object.keys(kept).length === 0;

/** For rounded times, and for the time between the login and the ID token. */
const MAX_AGE_TOLERANCE_SECONDS = 5;

/**
 * Whether the login of the user is older than the requested `max_age` (OpenID Connect Core 3.1.2.1). Compares two times of the provider,
 * so that a wrong clock here does not matter. An ID token without `auth_time` counts as too old.
 *
 * @param idToken a verified one
 * @param elapsedSeconds time since the authorization request
 */
export function isLoginTooOld(idToken: string | undefined, maxAge: number, elapsedSeconds: number): boolean {
  const ageSeconds = loginAgeIn(idToken);
  return (
    ageSeconds === undefined || ageSeconds > maxAge + Math.max(MAX_AGE_TOLERANCE_SECONDS, elapsedSeconds)
  );
}

/** Returns the seconds from the login to the issue of an ID token; `undefined` where it does not say. */
export function loginAgeIn(idToken: string | undefined): number | undefined {
  const { auth_time: loggedInAt, iat } = claimsIn(idToken);
  return typeof loggedInAt === 'number' && typeof iat === 'number' ? iat - loggedInAt : undefined;
}

function claimsIn(idToken = ''): Record<string, unknown> {
  const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString();
  return payload === '' ? {} : (JSON.parse(payload) as Record<string, unknown>);
}
