import {
  answered,
  AuthFilter,
  globalPrefix,
  isNavigation,
  isPageRequest,
  localPath,
  requestTarget,
  ReturnTargets,
  SignIn,
  SignInFailed,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Catch, Inject, Optional, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import type { Response } from 'express';
import { Refusals } from '../refusals/refusals.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { FreshSignInRequired } from './fresh-sign-in.errors.js';
import { freshSignInUrl, signInFields } from './sign-in-requirements.js';

/** Query parameter of a page to which a sign-in leads back in place of a form that was sent: the form has to be sent again. */
export const FORM_NOT_SENT = 'form-not-sent';

/**
 * Redirects a browser to a sign-in of the same user, and back to the request, or after a POST to its form; sends a program 401 with a
 * challenge (RFC 9470).
 */
@Catch(FreshSignInRequired)
export class FreshSignInFilter implements ExceptionFilter<FreshSignInRequired> {
  constructor(
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Optional() @Inject(SignIn) private readonly signIn?: SignIn,
    @Optional() @Inject(AuthFilter) private readonly failures?: AuthFilter,
    @Optional() @Inject(ReturnTargets) private readonly returns?: ReturnTargets,
    @Optional() @Inject(ZITADEL_OPTIONS) private readonly options?: ResolvedZitadelOptions,
    @Optional() @Inject(Refusals) private readonly refusals?: Refusals,
  ) {}

  catch(error: FreshSignInRequired, host: ArgumentsHost): Promise<void> {
    if (host.getType() !== 'http') throw error;
    return answered(this.answer(error, host), host.switchToHttp().getResponse<Response>());
  }

  private async answer(error: FreshSignInRequired, host: ArgumentsHost): Promise<void> {
    const request = host.switchToHttp().getRequest<AuthenticatedRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const { user } = request.session ?? {};
    const isPage = isPageRequest(request.headers) && isNavigation(request);
    if (!this.signIn || !this.options || !user || !isPage)
      return this.answerProgram(error, request, response);
    const returnTo = returnTarget(request, this.options);
    if (this.returns?.isLong(returnTo)) return this.storeAddress(returnTo, error, request, response);
    try {
      const params = signInFields(user, error.required);
      await this.signIn.start(request, response, { returnTo, params });
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

  /** A long address does not fit into the response that begins a sign-in: the next request does that. */
  private storeAddress(
    returnTo: string,
    { required }: FreshSignInRequired,
    request: AuthenticatedRequest,
    response: Response,
  ) {
    const stored = this.returns?.addressFor(returnTo, request, response);
    const basePath = `${this.options?.mountPath}${globalPrefix(this.application, '/auth')}`;
    response.redirect(request.method === 'GET' ? 302 : 303, freshSignInUrl(basePath, required, stored));
  }
}

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
