import { hash, timingSafeEqual } from 'node:crypto';
import type { Request } from 'express';

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;

/** Headers of proxies: a proxy on this machine must not publish what is for operators. */
const PROXY_HEADERS = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'via'];

/**
 * Whether a request comes from those who run the program: with `token` as bearer token (RFC 6750 2.1), compared in constant time; or, where no
 * token is configured, from this machine and not through a proxy.
 */
export function isFromOperator({ headers, socket }: Request, token: string | undefined): boolean {
  if (token !== undefined) return isEqual(tokenIn(headers.authorization), token);
  return (
    LOOPBACK.test(socket.remoteAddress ?? '') && PROXY_HEADERS.every((name) => headers[name] === undefined)
  );
}

/** The scheme is case-insensitive (RFC 9110 11.1). */
const tokenIn = (authorization = '') => /^bearer +(.*)$/i.exec(authorization)?.[1];

const isEqual = (given: string | undefined, expected: string) =>
  given !== undefined && timingSafeEqual(digest(given), digest(expected));

const digest = (text: string) => hash('sha256', text, 'buffer');
