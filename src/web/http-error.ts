import { MethodNotAllowed, retryAfterOf } from '@mridang/nestjs-auth';
import { allowedMethods } from '@mridang/nestjs-program';
import { HttpException } from '@nestjs/common';
import type { Request, Response } from 'express';

/** What a filter knows of an error. */
interface HttpError {
  /** what was thrown, or a 405 in place of a 404 where the path has a route for other methods */
  error: unknown;
  status: number;
  code: string | undefined;
}

export function httpErrorOf(thrown: unknown, { app, path, method }: Request): HttpError {
  const allowed = statusOf(thrown) === 404 ? allowedMethods(app, path) : [];
  const error = allowed.length > 0 && !allowed.includes(method) ? new MethodNotAllowed(allowed) : thrown;
  const { code } = (error ?? {}) as { code?: unknown };
  return {
    error,
    status: statusOf(error),
    code: error instanceof HttpException && typeof code === 'string' ? code : undefined,
  };
}

/** Errors of Express and its parsers carry `statusCode`. */
function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : 500;
}

/**
 * Sets status and header fields of the answer.
 *
 * @param retryAfterSeconds of a 503, where Zitadel has sent none
 */
export function beginAnswer(response: Response, { error, status }: HttpError, retryAfterSeconds: number) {
  response.status(status).setHeader('Cache-Control', 'no-store');
  if (error instanceof MethodNotAllowed) response.setHeader('Allow', error.allowed.join(', '));
  if (status === 503) response.setHeader('Retry-After', String(retryAfterOf(error) ?? retryAfterSeconds));
}
