import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { decode, encode } from '@auth/core/jwt';
import { SignInFailed, type SignInFailure } from '../auth.errors.js';
import type { HttpRequest, HttpResponse } from '../auth.types.js';
import { CsrfService } from '../csrf/csrf.service.js';
import { stateOf } from '../http/request-state.js';
import { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { setCookie } from '../session/session-cookie.js';
import { ReturnTargets } from './return-targets.js';
import { LoginStates, type LoginState } from './login-state.js';

/** Longest time between the start of a sign-in and its callback. */
const LIFETIME_SECONDS = 900;

/** Sign-ins that may be under way in one browser… */
const MAX_TRANSACTIONS = 5;

/** …and what their cookies may take of the 8 KB that servers accept as request header. */
const MAX_COOKIE_LENGTH = 3_500;

/** The two checks Auth.js makes for a sign-in beside `state`. */
const checkNames = ['pkce', 'nonce'] as const;

/** One sign-in under way, kept in a cookie of its own so that tabs do not disturb each other. */
export interface LoginTransaction {
  provider: string;
  /** where the sign-in ends */
  target: string;
  /** the `max_age` that was asked for, seconds */
  maxAge?: number | undefined;
  prompt?: string | undefined;
  loginHint?: string | undefined;
  /** what the answer has to be compared with, in the words of `SignInPolicy` */
  kept: Record<string, string>;
  /** 0, and 1 when the sign-in was started again by itself */
  attempt: number;
  /** PKCE verifier and nonce */
  checks: Partial<Record<(typeof checkNames)[number], string>>;
}

type Stored = Omit<LoginTransaction, 'kept' | 'attempt'> & Partial<LoginTransaction>;

/** A transaction whose callback has come. */
export interface FinishedTransaction extends LoginTransaction {
  /** since it began, seconds */
  takenSeconds: number;
}

/** A callback that belongs to this browser and comes too late. */
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

  constructor(
    @Inject(ResolvedAuthOptions) private readonly options: ResolvedAuthOptions,
    @Inject(CsrfService) private readonly csrf: CsrfService,
    @Inject(ReturnTargets) private readonly returns: ReturnTargets,
  ) {
    this.states = new LoginStates(options.secrets);
    const { name, formerName } = options.loginCookie;
    this.prefix = `${name}.`;
    this.formerPrefix = `${formerName ?? name}.`;
  }

  /**
   * Keeps what the callback of an authorization request will be checked with. Returns its `state`.
   *
   * @param answer of Auth.js, with the checks as cookies
   */
  async begin(
    answer: Response,
    asked: Omit<LoginTransaction, 'checks'>,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<string> {
    const transaction: LoginTransaction = { ...asked, checks: await this.checksIn(answer) };
    const browser = this.fingerprint(this.csrf.token(request, response));
    const { state, id } = this.states.issue({ browser, attempt: canStartAgain(asked) ? 0 : 1 });
    const name = this.prefix + id;
    const value = await encode({
      token: { ...transaction },
      secret: [...this.options.secrets],
      salt: name,
      maxAge: LIFETIME_SECONDS,
    });
    this.dropOldest(value.length, request, response);
    setCookie(response, name, value, { ...this.options.loginCookie.options, maxAge: LIFETIME_SECONDS });
    return state;
  }

  /**
   * The sign-in a callback belongs to. Its cookie is used up. Throws `SignInFailed` when it belongs to none of this browser.
   */
  async take(
    states: readonly string[],
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<FinishedTransaction | StaleCallback> {
    const [given = '', ...others] = states;
    const state = others.length === 0 ? this.states.read(given) : null;
    if (!state) throw new SignInFailed('state_invalid');
    const { cookies } = stateOf(request);
    const name =
      [this.prefix, this.formerPrefix].map((prefix) => prefix + state.id).find((own) => cookies[own]) ?? '';
    const transaction = await this.opened(name, cookies[name]);
    if (transaction) {
      this.remove(name, response);
      // A cookie of an older version of the program has less in it.
      return { kept: {}, attempt: state.attempt, ...transaction, takenSeconds: ageOf(state) };
    }
    if (!request.headers.cookie) throw new SignInFailed('cookie_missing');
    const token = this.csrf.known(request);
    if (!token || this.fingerprint(token) !== state.browser) throw new SignInFailed('other_browser');
    const isOld = ageOf(state) > LIFETIME_SECONDS;
    return { stale: isOld ? 'login_timed_out' : 'login_already_used', attempt: state.attempt };
  }

  /** The cookies Auth.js expects with the callback. */
  async checkCookies({ provider, checks }: LoginTransaction, state: string): Promise<Record<string, string>> {
    const { checkCookies } = this.options;
    const values = Object.entries({ ...checks, state }) as [keyof typeof checkCookies, string][];
    return Object.fromEntries(
      await Promise.all(
        values.map(async ([check, value]) => {
          const { name } = checkCookies[check];
          const secret = [...this.options.secrets];
          const sealed = await encode({
            token: { value, provider },
            secret,
            salt: name,
            maxAge: LIFETIME_SECONDS,
          });
          return [name, sealed] as const;
        }),
      ),
    );
  }

  private async checksIn(answer: Response): Promise<LoginTransaction['checks']> {
    const checks: LoginTransaction['checks'] = {};
    for (const check of checkNames) {
      const { name } = this.options.checkCookies[check];
      const line = answer.headers.getSetCookie().find((cookie) => cookie.startsWith(`${name}=`));
      if (!line) continue;
      const token = line.slice(name.length + 1, line.indexOf(';'));
      const sealed = await decode<{ value: string }>({
        token,
        secret: [...this.options.secrets],
        salt: name,
      });
      if (sealed) checks[check] = sealed.value;
    }
    return checks;
  }

  private async opened(name: string, value: string | undefined): Promise<Stored | null> {
    if (!value) return null;
    try {
      const secret = [...this.options.secrets];
      return await decode<Stored>({ token: value, secret, salt: name });
    } catch {
      return null;
    }
  }

  private dropOldest(added: number, request: HttpRequest, response: HttpResponse) {
    const { cookies } = stateOf(request);
    const newestFirst = Object.entries(cookies)
      .filter(([name]) => name.startsWith(this.prefix))
      .sort(([a], [b]) => (a < b ? 1 : -1));
    let length = added + this.returns.lengthIn(request);
    for (const [index, [name, value = '']] of newestFirst.entries()) {
      length += name.length + value.length;
      if (index + 1 >= MAX_TRANSACTIONS || length > MAX_COOKIE_LENGTH) this.remove(name, response);
    }
  }

  private remove(name: string, response: HttpResponse) {
    setCookie(response, name, '', { ...this.options.loginCookie.options, maxAge: 0 });
  }

  private fingerprint(csrfToken: string): string {
    return createHash('sha256').update(csrfToken).digest().subarray(0, 8).toString('base64url');
  }
}

const ageOf = ({ issuedAt }: LoginState) => Date.now() / 1000 - issuedAt;

/** Not twice, and not where its cookie alone knows what has to hold at its end. */
const canStartAgain = ({ attempt, maxAge, kept }: Omit<LoginTransaction, 'checks'>) =>
  attempt === 0 && maxAge === undefined && Object.keys(kept).length === 0;
