import {
  AuthFilter,
  isPageRequest,
  isPrefetch,
  localPath,
  requestTarget,
  SignIn,
  SignInFailed,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Catch, Inject, Optional, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';
import { Refusals } from '../refusals/refusals.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { FreshSignInRequired } from './fresh-sign-in.errors.js';

/** Query parameter of a page to which a sign-in leads back in place of a form that was sent: the form has to be sent again. */
export const FORM_NOT_SENT = 'form-not-sent';

/**
 * Redirects a browser to a sign-in of the same user, and back to the request, or after a POST to its form; sends a program 401 with a
 * challenge (RFC 9470).
 */
@Catch(FreshSignInRequired)
export class FreshSignInFilter implements ExceptionFilter<FreshSignInRequired> {
  constructor(
    @Optional() @Inject(SignIn) private readonly signIn?: SignIn,
    @Optional() @Inject(AuthFilter) private readonly failures?: AuthFilter,
    @Optional() @Inject(ZITADEL_OPTIONS) private readonly options?: ResolvedZitadelOptions,
    @Optional() @Inject(Refusals) private readonly refusals?: Refusals,
  ) {}

  async catch(error: FreshSignInRequired, host: ArgumentsHost): Promise<void> {
    if (host.getType() !== 'http') throw error;
    const request = host.switchToHttp().getRequest<AuthenticatedRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const { user } = request.session ?? {};
    if (!this.signIn || !this.options || !user || !isNavigation(request))
      return this.answerProgram(error, request, response);
    const { maxAgeSeconds, factors } = error.required;
    try {
      await this.signIn.start(request, response, {
        returnTo: returnTarget(request, this.options),
        params: {
          prompt: 'login',
          max_age: maxAgeSeconds?.toString(),
          login_hint: user.username,
          subject: user.id,
          factors: factors.join(' '),
          activeOrganization: user.activeOrganization?.id,
        },
      });
    } catch (failure) {
      if (!(failure instanceof SignInFailed)) throw failure;
      await this.failures?.catch(failure, host);
    }
  }

  private answerProgram(error: FreshSignInRequired, request: AuthenticatedRequest, response: Response) {
    response.status(error.getStatus()).set('Cache-Control', 'no-store');
    if (error.challenge) response.set('WWW-Authenticate', error.challenge);
    response.json({ ...error.getResponse(), ...this.refusals?.report(error, request) });
  }
}

const isNavigation = ({ method, headers }: AuthenticatedRequest) =>
  method !== 'HEAD' && isPageRequest(headers) && !isPrefetch(headers);

/** The request; of a POST, which cannot be repeated, the page that it was sent from, or where no `Referer` names that, its own address. */
function returnTarget(
  request: AuthenticatedRequest,
  { origin, mountPath }: Pick<ResolvedZitadelOptions, 'origin' | 'mountPath'>,
): string {
  const target = requestTarget(request);
  if (request.method === 'GET') return target;
  const { pathname, searchParams } = new URL(
    localPath(request.headers.referer, origin, mountPath) ?? target,
    origin,
  );
  searchParams.set(FORM_NOT_SENT, '1');
  return `${pathname}?${searchParams.toString()}`;
}
