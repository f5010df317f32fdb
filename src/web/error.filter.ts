import {
  answered,
  CrossSiteRequest,
  describeError,
  isPageRequest,
  newReference,
  RolesRequired,
  SessionService,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import {
  aboutRequest,
  ApiError,
  choicesOf,
  choicesWith,
  OrganizationRequired,
  OrganizationWithoutRoles,
  OutageLog,
  phrasesOf,
  Refusals,
  type CalledRequest,
} from '@mridang/nestjs-zitadel';
import {
  Catch,
  HttpException,
  Inject,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import { ENV, type Env } from '../config/env.js';
import { languageFor, languages } from '../texts/language.js';
import { errorMessage, text } from '../texts/text.js';
import { beginAnswer, httpErrorOf } from './http-error.js';
import { returnToOf } from './page-frame.js';

/** `Retry-After` where Zitadel has sent none. */
const RETRY_AFTER_SECONDS = 10;

/** Answers every error: a page for a browser, JSON for a program, without internals. */
@Catch()
export class ErrorFilter implements ExceptionFilter, OnApplicationShutdown {
  private readonly logger = new Logger('Error');
  private readonly outage = new OutageLog(this.logger, 'Requests were answered 503');

  constructor(
    private readonly sessions: SessionService,
    private readonly refusals: Refusals,
    @Inject(ENV) private readonly env: Env,
  ) {}

  onApplicationShutdown() {
    this.outage.end();
  }

  catch(thrown: unknown, host: ArgumentsHost) {
    return answered(this.answer(thrown, host), host.switchToHttp().getResponse<Response>());
  }

  private async answer(thrown: unknown, host: ArgumentsHost) {
    const request = host.switchToHttp().getRequest<CalledRequest & AuthenticatedRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const httpError = httpErrorOf(thrown, request);
    const { error, status, code } = httpError;
    // During an outage every request fails, and a reference for each would fill the log.
    if (status === 503) this.outage.failed(error);
    const isAboutRoles =
      error instanceof RolesRequired ||
      error instanceof OrganizationRequired ||
      error instanceof OrganizationWithoutRoles;
    const roles = isAboutRoles ? await this.rolesOf(error, request, response) : undefined;
    const refusal = this.refusals.report(error, request, { readAt: timeOf(roles?.readAt) });
    const reference = status >= 500 && status !== 503 ? referenceOf(error) : refusal?.reference;
    if (reference && !refusal)
      this.logger.error(`Reference ${reference}\n${describeError(error)}`, {
        reference,
        ...aboutRequest(request),
      });
    if (response.headersSent) return void response.end();

    const message = errorMessage(status, code);
    beginAnswer(response, httpError, RETRY_AFTER_SECONDS);
    const hasToken = request.caller !== undefined || error instanceof ApiError;
    if (hasToken || !isPageRequest(request.headers)) {
      response.json({
        statusCode: status,
        ...(code ? { code } : {}),
        message: messageOf(error) ?? text(languages[0], message.title),
        ...(reference ? { reference } : {}),
        ...refusal,
      });
      return;
    }
    // Guards do not run where there is no route.
    request.session ??= await this.sessions.load(request, response);
    response.render('error', {
      status,
      ...message,
      address: error instanceof CrossSiteRequest ? this.env.address : undefined,
      reference,
      code: refusal?.code,
      explanation:
        refusal?.explanation &&
        phrasesOf(refusal.explanation, languageFor(request.headers['accept-language'])),
      canLogIn: status === 401,
      ...roles?.page,
    });
  }

  /** The page offers to choose an organization where a role counts, and to read roles again. */
  private async rolesOf(
    error: RolesRequired | OrganizationRequired | OrganizationWithoutRoles,
    request: Request & AuthenticatedRequest,
    response: Response,
  ) {
    const returnTo = returnToOf(request);
    const { claimsReadAt, start } = (await this.sessions.token(request, response)) ?? {};
    const readAt = claimsReadAt ?? start;
    if (error instanceof OrganizationWithoutRoles) return { readAt, page: {} };
    const isAnyAsked = error instanceof OrganizationRequired && error.roles.length === 0;
    const choices = isAnyAsked
      ? choicesOf(error.organizations)
      : choicesWith(request.session?.user, error.roles);
    const rolesReadAt = error instanceof OrganizationRequired ? undefined : readAt;
    return { readAt, page: { rolesReadAt, choices, hasOneChoice: choices.length === 1, returnTo } };
  }
}

/** An error keeps a reference that may be in the log already. */
function referenceOf(error: unknown): string {
  const { reference } = (error ?? {}) as { reference?: unknown };
  return typeof reference === 'string' ? reference : newReference();
}

const timeOf = (seconds: number | undefined) =>
  seconds === undefined ? undefined : new Date(seconds * 1000).toISOString();

const messageOf = (error: unknown) =>
  error instanceof HttpException && error.getStatus() < 500 && error.getStatus() !== 404
    ? error.message
    : undefined;
