import { randomBytes, timingSafeEqual } from 'node:crypto';
import { cookieSpec, type AuthenticatedRequest, type CookieSpec } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

const LIFETIME_MS = 10 * 60_000;

/** Sign-outs that a browser can have under way, one per tab. */
const MAX_PENDING = 5;

/** What a sign-out ends here: the session of this browser, or all of the person. */
export type SignOutKind = 'user' | 'everywhere';

/** Characters of the state that name its cookie. */
const NAME_LENGTH = 8;

/**
 * Remembers the `state` of each sign-out in a cookie of its own, named after it: so tabs that sign out at the same time
 * do not take each other's.
 */
@Injectable()
export class LogoutStates {
  private readonly prefix: string;
  private readonly formerPrefix: string;
  private readonly options: CookieSpec['options'];

  constructor(@Inject(ZITADEL_OPTIONS) { origin, basePath }: ResolvedZitadelOptions) {
    const { name, formerName, options } = cookieSpec('logout-state', origin, basePath);
    this.prefix = `${name}.`;
    this.formerPrefix = `${formerName ?? name}.`;
    this.options = options;
  }

  /** Makes a state that `take` will know in this browser for ten minutes. */
  begin(kind: SignOutKind, request: AuthenticatedRequest, response: Response): string {
    const state = randomBytes(32).toString('base64url');
    // Browsers send the oldest first (RFC 6265 5.4).
    const pending = Object.keys(this.cookiesOf(request)).filter((name) => name.startsWith(this.prefix));
    for (const name of pending.slice(0, Math.max(0, pending.length + 1 - MAX_PENDING)))
      this.forget(name, response);
    this.keep(state, kind, response);
    return state;
  }

  /** Makes `take` know a state in this browser for ten minutes. */
  keep(state: string, kind: SignOutKind, response: Response) {
    response.cookie(this.nameFor(state), `${state}.${kind}`, { ...this.options, maxAge: LIFETIME_MS });
  }

  /** Which sign-out this browser began with that state, if it did; it is forgotten. */
  take(state: string, request: AuthenticatedRequest, response: Response): SignOutKind | undefined {
    const cookies = this.cookiesOf(request);
    const names = [this.prefix, this.formerPrefix].map((prefix) => this.nameFor(state, prefix));
    const name = names.find((own) => cookies[own]) ?? '';
    const [expected, kind] = cookies[name]?.split('.') ?? [];
    if (!expected || !equal(state, expected)) return undefined;
    this.forget(name, response);
    return kind === 'everywhere' ? kind : 'user';
  }

  /** Not by `Expires` alone, as Express does it: a browser compares that with its own clock. */
  private forget(name: string, response: Response) {
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
