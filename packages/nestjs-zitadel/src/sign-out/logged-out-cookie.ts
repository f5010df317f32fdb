import { cookieSpec, type CookieSpec, type HttpRequest } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { parseCookie } from 'cookie';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/** Older versions used another value, under a name that another application on the host may use now. */
const VALUE = 'yes';
const FORMER_VALUE = '1';

const LIFETIME_MS = 365 * 24 * 60 * 60_000;

/**
 * Marks a browser whose user has signed out here. Zitadel may still have sessions of this or other accounts in that browser: the next
 * sign-in must ask which account to use.
 */
@Injectable()
export class LoggedOutCookie {
  private readonly cookie: CookieSpec;

  constructor(@Inject(ZITADEL_OPTIONS) { origin, mountPath }: ResolvedZitadelOptions) {
    this.cookie = cookieSpec('logged-out', origin, mountPath);
  }

  isIn(request: HttpRequest): boolean {
    return this.namesIn(request).length > 0;
  }

  set(response: Response) {
    response.cookie(this.cookie.name, VALUE, { ...this.cookie.options, maxAge: LIFETIME_MS });
  }

  /** Deletes the cookie where the browser has it. */
  delete(request: HttpRequest, response: Response) {
    for (const name of this.namesIn(request))
      response.cookie(name, '', { ...this.cookie.options, maxAge: 0 });
  }

  private namesIn({ headers }: HttpRequest): string[] {
    const { name, formerName = '' } = this.cookie;
    const cookies = parseCookie(headers.cookie ?? '');
    return [
      ...(cookies[name] === undefined ? [] : [name]),
      ...(cookies[formerName] === FORMER_VALUE ? [formerName] : []),
    ];
  }
}
