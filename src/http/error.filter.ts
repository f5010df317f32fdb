import {
  describeError,
  isPageRequest,
  SessionService,
  type AuthenticatedRequest,
} from '@mridang/nestjs-auth';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Response } from 'express';

interface Explanation {
  title: string;
  text: string;
}

const explanations: Record<number, Explanation> = {
  400: {
    title: 'That request made no sense',
    text: 'Something in the address or the form is not as it should be.',
  },
  401: { title: 'Please sign in', text: 'This page is only for people who are signed in.' },
  403: { title: 'Not for you', text: 'You are signed in, but this needs a permission you do not have.' },
  404: { title: 'Page not found', text: 'There is nothing at this address.' },
  405: { title: 'That does not work here', text: 'This address cannot be used in that way.' },
  413: { title: 'That is too much', text: 'The request is larger than this application accepts.' },
  502: {
    title: 'Zitadel answered something unexpected',
    text: 'The people who run this application have to look at it.',
  },
  503: {
    title: 'Sign-in is not available right now',
    text: 'Zitadel cannot be reached. Please try again in a minute.',
  },
};

const fallback: Explanation = {
  title: 'Something went wrong',
  text: 'It is not your fault. Please try again later.',
};

/** Answers every failure: a page for a browser, JSON for a program, and never the inside of the application. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Error');

  constructor(private readonly sessions: SessionService) {}

  async catch(error: unknown, host: ArgumentsHost) {
    const request = host.switchToHttp().getRequest<AuthenticatedRequest>();
    const response = host.switchToHttp().getResponse<Response>();
    const status = statusOf(error);
    if (status >= 500) this.logger.error(describeError(error));
    if (response.headersSent) return void response.end();

    const { title, text } =
      explanations[status] ?? (status < 500 ? explanations[400] : undefined) ?? fallback;
    response.status(status).setHeader('Cache-Control', 'no-store');
    if (status === 503) response.setHeader('Retry-After', '10');
    if (!isPageRequest(request.headers)) {
      response.json({ statusCode: status, ...codeOf(error), message: messageOf(error) ?? title });
      return;
    }
    const detail = status === 403 ? messageOf(error) : undefined;
    // No guard has run where there is no route.
    request.session ??= await this.sessions.load(request, response);
    response.render('error', { status, title, text: detail ?? text, canLogIn: status === 401 });
  }
}

/** Errors of Express and its parsers carry `statusCode`, and `expose` when the sender may know. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

const codeOf = (error: unknown) => {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof HttpException && typeof code === 'string' ? { code } : {};
};

const messageOf = (error: unknown) =>
  error instanceof HttpException && error.getStatus() < 500 && error.getStatus() !== 404
    ? error.message
    : undefined;
