import { cookieSpec, type CookieSpec, type HttpRequest } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { ENV, type Env } from '../config/env.js';

const LIFETIME_MS = 365 * 24 * 60 * 60_000;

/**
 * Remembers in the browser that the last thing its user did here was to log out. Zitadel's login may still have sessions
 * there, of other accounts too: the next sign-in must not take one of them without a question.
 */
@Injectable()
export class LoggedOutCookie {
  private readonly cookie: CookieSpec;

  constructor(@Inject(ENV) { origin, basePath }: Env) {
    this.cookie = cookieSpec('logged-out', origin, basePath);
  }

  isIn({ headers }: HttpRequest): boolean {
    return parseCookie(headers.cookie ?? '')[this.cookie.name] !== undefined;
  }

  set(response: Response) {
    response.cookie(this.cookie.name, '1', { ...this.cookie.options, maxAge: LIFETIME_MS });
  }

  /** Takes it from a browser that has it. */
  clear(request: HttpRequest, response: Response) {
    const { name, options } = this.cookie;
    if (this.isIn(request)) response.cookie(name, '', { ...options, maxAge: 0 });
  }
}
