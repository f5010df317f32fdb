import { describeError } from '@mridang/nestjs-auth';
import { Refusals } from '@mridang/nestjs-zitadel';
import { Catch, HttpException, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { Request, Response } from 'express';
import { beginAnswer, httpErrorOf } from '../web/http-error.js';

/** `Retry-After` where Zitadel has sent none. */
const RETRY_AFTER_SECONDS = 5;

/** Answers every error with JSON: status, code and message, without internals. */
@Catch()
export class ApiErrorFilter implements ExceptionFilter {
  private readonly logger = new Logger('Error');

  constructor(private readonly refusals: Refusals) {}

  catch(thrown: unknown, host: ArgumentsHost) {
    const request = host.switchToHttp().getRequest<Request>();
    const response = host.switchToHttp().getResponse<Response>();
    const httpError = httpErrorOf(thrown, request);
    const { error, status, code } = httpError;
    // Introspection has logged its failures.
    if (status >= 500 && !code?.startsWith('API_')) this.logger.error(describeError(error));
    const refusal = this.refusals.report(error, request);
    if (response.headersSent) return void response.end();
    beginAnswer(response, httpError, RETRY_AFTER_SECONDS);
    const message = messageFor(error, status, code);
    response.json({ statusCode: status, ...(code ? { code } : {}), message, ...refusal });
  }
}

function messageFor(error: unknown, status: number, code: string | undefined): string {
  if (code && error instanceof HttpException) return error.message;
  if (status === 404) return 'There is nothing at this address';
  if (status >= 500) return 'Something went wrong';
  return error instanceof HttpException ? error.message : 'The request makes no sense';
}
