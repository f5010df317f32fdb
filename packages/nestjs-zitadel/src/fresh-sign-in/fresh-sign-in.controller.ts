import {
  isNavigation,
  localPath,
  SessionRequired,
  SessionService,
  SignIn,
  requestTarget,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Controller, Get, Inject, Query, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { Authenticate } from '../authenticate/authenticate.decorators.js';
import { FreshSignInImpossible } from './fresh-sign-in.errors.js';
import { FRESH_SIGN_IN_PATH, meets, requirementsIn, signInFields } from './sign-in-requirements.js';

/** A sign-in that asks the same user again: for a link, and for a page whose address has to be stored first. */
@Authenticate('session')
@Controller(FRESH_SIGN_IN_PATH)
export class FreshSignInController {
  constructor(
    private readonly sessions: SessionService,
    private readonly signIn: SignIn,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /** Redirects to Zitadel, or to `callbackUrl` where the session meets what `max_age` and `factors` require. */
  @Get()
  async start(
    @Query() query: Record<string, unknown>,
    @Req() request: AuthenticatedRequest,
    @Res() response: Response,
  ): Promise<void> {
    const { origin, mountPath, postLoginPath } = this.options;
    const token = await this.sessions.token(request, response);
    const { user } = request.session ?? {};
    const returnTo = localPath(query['callbackUrl'], origin, mountPath) ?? postLoginPath;
    const required = requirementsIn(query);
    const isAnyRequired = required.maxAgeSeconds !== undefined || required.factors.length > 0;
    if (!isNavigation(request)) response.status(204).end();
    else if (!token || !user) throw new SessionRequired(requestTarget(request));
    else if (isAnyRequired && meets(token, required)) response.redirect(returnTo);
    else if (token.idToken === undefined) throw new FreshSignInImpossible(required);
    else await this.signIn.start(request, response, { returnTo, params: signInFields(user, required) });
  }
}
