import { randomBytes, timingSafeEqual } from 'node:crypto';
import { cookieSpec, type AuthenticatedRequest, type CookieSpec } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

const LIFETIME_MS = 10 * 60_000;

/** Pending sign-outs of one browser. */
const MAX_PENDING = 5;

/** What a sign-out ends: the session of this browser, or all sessions of the user. */
export type SignOutKind = 'user' | 'everywhere';

/** Characters of the state that are the suffix of its cookie name. */
const NAME_LENGTH = 8;

/**
 * Stores the `state` of each pending sign-out in its own cookie, so that sign-outs in several tabs do not interfere.
 */
@Injectable()
export class LogoutStates {
  private readonly prefix: string;
  private readonly formerPrefix: string;
  private readonly options: CookieSpec['options'];

  constructor(@Inject(ZITADEL_OPTIONS) { origin, mountPath }: ResolvedZitadelOptions) {
    const { name, formerName, options } = cookieSpec('logout-state', origin, mountPath);
    this.prefix = `${name}.`;
    this.formerPrefix = `${formerName ?? name}.`;
    this.options = options;
  }

  /** Issues a state that `redeem` accepts from this browser for ten minutes. */
  begin(kind: SignOutKind, request: AuthenticatedRequest, response: Response): string {
    const state = randomBytes(32).toString('base64url');
    // Browsers send the oldest cookie first (RFC 6265 5.4).
    const pending = Object.keys(this.cookiesOf(request)).filter((name) => name.startsWith(this.prefix));
    for (const name of pending.slice(0, Math.max(0, pending.length + 1 - MAX_PENDING)))
      this.deleteCookie(name, response);
    this.store(state, kind, response);
    return state;
  }

  /** Stores a state, so that `redeem` accepts it from this browser for ten minutes. */
  store(state: string, kind: SignOutKind, response: Response) {
    response.cookie(this.nameFor(state), `${state}.${kind}`, { ...this.options, maxAge: LIFETIME_MS });
  }

  /** Returns the kind of sign-out that this browser has started with a state, if it has, and deletes the cookie. */
  redeem(state: string, request: AuthenticatedRequest, response: Response): SignOutKind | undefined {
    const cookies = this.cookiesOf(request);
    const names = [this.prefix, this.formerPrefix].map((prefix) => this.nameFor(state, prefix));
    const name = names.find((own) => cookies[own]) ?? '';
    const [expected, kind] = cookies[name]?.split('.') ?? [];
    if (!expected || !equal(state, expected)) return undefined;
    this.deleteCookie(name, response);
    return kind === 'everywhere' ? kind : 'user';
  }

  /** `clearCookie` of Express sets only `Expires`, which a browser compares with its own clock. */
  private deleteCookie(name: string, response: Response) {
    response.cookie(name, '', { ...this.options, maxAge: 0 });
  }

  private nameFor(state: string, prefix = this.prefix) {
    return prefix + state.slice(0, NAME_LENGTH);
  }

  private cookiesOf({ headers }: AuthenticatedRequest) {
    return parseCookie(headers.cookie ?? '');
  }
}

function equal(given: string, expected: string) {
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
