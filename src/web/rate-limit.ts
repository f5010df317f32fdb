import { isIP } from 'node:net';
import { HttpException, Logger } from '@nestjs/common';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit, type Options } from 'express-rate-limit';

const WINDOW_MS = 60_000;

/** Fast path: most requests are for other paths. */
const AUTH = /^\/auth\//i;

/** Requests that begin or end a session. Pages are not limited. */
const SIGN_IN = /^\/auth\/(signin\/.+|callback(\/.*)?|initiate|start)\/?$/i;
const SIGN_OUT = /^\/auth\/(signout|logout|logout\/everywhere|logout\/callback)\/?$/i;

const BACK_CHANNEL = /^\/auth\/(backchannel-logout|zitadel-events)\/?$/i;

/** 429: too many sign-ins and sign-outs from one address. Trying again after `Retry-After` seconds helps. */
class TooManyRequests extends HttpException {
  readonly code = 'TOO_MANY_REQUESTS';

  constructor() {
    super('Too many requests. Please try again later', 429);
  }
}

/**
 * Limits sign-ins, callbacks and sign-outs.
 *
 * @param perMinute from one address (of an IPv6 network: /56); 0 = no limit
 */
export function limitRate(perMinute: number): RequestHandler {
  if (perMinute === 0) return (_request, _response, next) => next();
  const limits: [RegExp, RequestHandler][] = [
    [SIGN_IN, limiter({ limit: perMinute })],
    [SIGN_OUT, limiter({ limit: perMinute })],
    // All of these come from Zitadel's address, so only refused ones count.
    [BACK_CHANNEL, limiter({ limit: perMinute, skipSuccessfulRequests: true })],
  ];
  const warn = warnOnce();
  return (request: Request, response: Response, next: NextFunction) => {
    if (!AUTH.test(request.path)) return next();
    const [, limit] = limits.find(([paths]) => paths.test(request.path)) ?? [];
    if (!limit) return next();
    warn(request);
    forgetPorts(request);
    void limit(request, response, next);
  };
}

const limiter = (options: Partial<Options>) =>
  rateLimit({
    windowMs: WINDOW_MS,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_request, _response, next) => next(new TooManyRequests()),
    keyGenerator: addressOf,
    // `warnOnce` has its own message.
    validate: { xForwardedForHeader: false },
    ...options,
  });

/** Prefix length of an IPv6 network that one subscriber gets. */
const NETWORK_BITS = 56;

/** Address of the client, or of the proxy where it names none. */
function addressOf({ ip = '', socket }: Request): string {
  const address = isIP(ip) ? ip : (socket.remoteAddress ?? '');
  return ipKeyGenerator(address.replace(/^::ffff:(?=\d+\.)/i, ''), NETWORK_BITS);
}

/** Some proxies add the port, which Express does not accept as an address. */
function forgetPorts({ headers }: Request) {
  const given = headers['x-forwarded-for'];
  if (typeof given === 'string') headers['x-forwarded-for'] = given.split(',').map(withoutPort).join(',');
}

function withoutPort(item: string): string {
  const address = item.trim().replace(/^"(.*)"$/, '$1');
  return /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
}

/** Behind an unknown proxy all clients have one address. */
function warnOnce() {
  const logger = new Logger('Rate limit');
  let isSaid = false;
  return ({ app, headers }: Request) => {
    if (isSaid || !headers['x-forwarded-for'] || app.get('trust proxy') !== false) return;
    isSaid = true;
    logger.warn(
      'Requests come through a proxy that is not in TRUSTED_PROXIES, so all clients behind it share one rate limit. Add it there, or set AUTH_RATE_LIMIT=0',
    );
  };
}
