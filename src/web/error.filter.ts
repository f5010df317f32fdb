import {
  CrossSiteRequest,
  describeError,
  isPageRequest,
  newReference,
  RolesRequired,
  SessionService,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { aboutRequest } from '@mridang/nestjs-program';
import { OutageLog } from '@mridang/nestjs-zitadel';
import {
  Catch,
  HttpException,
  Inject,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { languages } from '../texts/language.js';
import { errorMessage, text } from '../texts/text.js';
import { beginAnswer, httpErrorOf } from './http-error.js';

/** `Retry-After` where Zitadel has sent none. */
const RETRY_AFTER_SECONDS = 10;

/** Answers every error: a page for a browser, JSON for a program, without internals. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Error');
  private readonly outage = new OutageLog(this.logger, 'Requests were answered 503');

  constructor(
    private readonly sessions: SessionService,
    @Inject(ENV) private readonly env: Env,
  ) {}

  async catch(thrown: unknown, host: ArgumentsHost) {
    const request = host.switchToHttp().getRequest<Request & AuthenticatedRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const httpError = httpErrorOf(thrown, request);
    const { error, status, code } = httpError;
    // During an outage every request fails, and a reference for each would fill the log.
    if (status === 503) this.outage.failed(error);
    const reference = (status >= 500 && status !== 503) || status === 403 ? referenceOf(error) : undefined;
    if (reference) {
      const sentence = `Reference ${reference}\n${describeError(error)}`;
      this.logger[status >= 500 ? 'error' : 'warn'](sentence, { reference, ...aboutRequest(request) });
    }
    if (response.headersSent) return void response.end();

    const message = errorMessage(status, code);
    beginAnswer(response, httpError, RETRY_AFTER_SECONDS);
    if (!isPageRequest(request.headers)) {
      response.json({
        statusCode: status,
        ...(code ? { code } : {}),
        message: messageOf(error) ?? text(languages[0], message.title),
        ...(reference ? { reference } : {}),
      });
      return;
    }
    // Guards do not run where there is no route.
    request.session ??= await this.sessions.load(request, response);
    const roles = error instanceof RolesRequired && (await this.rolesOf(request, response));
    response.render('error', {
      status,
      ...message,
      address: error instanceof CrossSiteRequest ? this.env.address : undefined,
      reference,
      canLogIn: status === 401,
      ...roles,
    });
  }

  /** The page offers to read roles again, and then leads back, but not to a form post. */
  private async rolesOf(request: Request & AuthenticatedRequest, response: Response) {
    const { claimsReadAt, start } = (await this.sessions.token(request, response)) ?? {};
    const returnTo = request.method === 'GET' ? request.originalUrl : undefined;
    return { rolesReadAt: claimsReadAt ?? start, returnTo };
  }
}

/** An error keeps a reference that may be in the log already. */
function referenceOf(error: unknown): string {
  const { reference } = (error ?? {}) as { reference?: unknown };
  return typeof reference === 'string' ? reference : newReference();
}

const messageOf = (error: unknown) =>
  error instanceof HttpException && error.getStatus() < 500 && error.getStatus() !== 404
    ? error.message
    : undefined;
