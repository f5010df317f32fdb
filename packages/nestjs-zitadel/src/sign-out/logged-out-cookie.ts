import type { HttpRequest } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

const LIFETIME_MS = 365 * 24 * 60 * 60_000;

/**
 * Remembers in the browser that the last thing its user did here was to log out. Zitadel's login may still have sessions
 * there, of other accounts too: the next sign-in must not take one of them without a question.
 */
@Injectable()
export class LoggedOutCookie {
  private readonly name: string;
  private readonly options: { httpOnly: true; sameSite: 'lax'; secure: boolean; path: '/' };

  constructor(@Inject(ZITADEL_OPTIONS) { origin }: ResolvedZitadelOptions) {
    const secure = origin.startsWith('https:');
    this.name = `${secure ? '__Host-' : ''}logged-out`;
    this.options = { httpOnly: true, sameSite: 'lax', secure, path: '/' };
  }

  isIn({ headers }: HttpRequest): boolean {
    return parseCookie(headers.cookie ?? '')[this.name] !== undefined;
  }

  set(response: Response) {
    response.cookie(this.name, '1', { ...this.options, maxAge: LIFETIME_MS });
  }

  /** Takes it from a browser that has it. */
  clear(request: HttpRequest, response: Response) {
    if (this.isIn(request)) response.cookie(this.name, '', { ...this.options, maxAge: 0 });
  }
}
