import { describeError, MethodNotAllowed, retryAfterOf } from '@mridang/nestjs-auth';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { wrongMethod } from '../web/wrong-method.js';

/** `Retry-After` where Zitadel has sent none. */
const RETRY_AFTER_SECONDS = 5;

/** Answers every error with JSON: status, code and message, without internals. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Error');

  catch(thrown: unknown, host: ArgumentsHost) {
    const response = host.switchToHttp().getResponse<Response>();
    const request = host.switchToHttp().getRequest<Request>();
    const error = statusOf(thrown) === 404 ? (wrongMethod(request) ?? thrown) : thrown;
    const statusCode = statusOf(error);
    const code = codeOf(error);
    // Introspection has logged its failures.
    if (statusCode >= 500 && !code?.startsWith('API_')) this.logger.error(describeError(error));
    if (response.headersSent) return void response.end();
    response.status(statusCode).setHeader('Cache-Control', 'no-store');
    if (statusCode === 503)
      response.setHeader('Retry-After', String(retryAfterOf(error) ?? RETRY_AFTER_SECONDS));
    if (error instanceof MethodNotAllowed) response.setHeader('Allow', error.allowed.join(', '));
    response.json({
      statusCode,
      ...(code ? { code } : {}),
      message: messageFor(error, statusCode, code),
    });
  }
}

/** Errors of Express and its parsers carry `statusCode`. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof HttpException && typeof code === 'string' ? code : undefined;
}

function messageFor(error: unknown, status: number, code: string | undefined): string {
  if (code && error instanceof HttpException) return error.message;
  if (status === 404) return 'There is nothing at this address';
  if (status >= 500) return 'Something went wrong';
  return error instanceof HttpException ? error.message : 'The request makes no sense';
}
