import { isIP } from 'node:net';
import { HttpException, Logger } from '@nestjs/common';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit, type Options } from 'express-rate-limit';

const WINDOW_MS = 60_000;

/** Most requests are for something else, and cost nothing here. */
const AUTH = /^\/auth\//i;

/** What begins a session, and what ends one. The pages around it are there for everybody at any time. */
const SIGN_IN = /^\/auth\/(signin\/.+|callback(\/.*)?|initiate|start)\/?$/i;
const SIGN_OUT = /^\/auth\/(signout|logout|logout\/everywhere|logout\/callback)\/?$/i;

const BACK_CHANNEL = /^\/auth\/backchannel-logout\/?$/i;

/** 429: too many sign-ins and sign-outs from one address. Trying again after `Retry-After` seconds helps. */
class TooManyRequests extends HttpException {
  readonly code = 'TOO_MANY_REQUESTS';

  constructor() {
    super('Too many requests. Please try again later', 429);
  }
}

/**
 * Bounds sign-ins, callbacks and sign-outs.
 *
 * @param perMinute from one address (of an IPv6 network: /56); 0 = no bound
 */
export function limitRate(perMinute: number): RequestHandler {
  if (perMinute === 0) return (_request, _response, next) => next();
  const limits: [RegExp, RequestHandler][] = [
    [SIGN_IN, limiter({ limit: perMinute })],
    [SIGN_OUT, limiter({ limit: perMinute })],
    // All back-channel logouts come from Zitadel, so only what is refused counts.
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
    // Said by `warnOnce`, in words that fit.
    validate: { xForwardedForHeader: false },
    ...options,
  });

/** Bits of an IPv6 address that are those of one household. */
const NETWORK_BITS = 56;

/** Whose request it is. What a proxy does not name by an address counts as its own. */
function addressOf({ ip = '', socket }: Request): string {
  const address = isIP(ip) ? ip : (socket.remoteAddress ?? '');
  return ipKeyGenerator(address.replace(/^::ffff:(?=\d+\.)/i, ''), NETWORK_BITS);
}

/** Some proxies write the port behind the address, which is another with each connection; Express takes that for no address. */
function forgetPorts({ headers }: Request) {
  const given = headers['x-forwarded-for'];
  if (typeof given === 'string') headers['x-forwarded-for'] = given.split(',').map(withoutPort).join(',');
}

function withoutPort(item: string): string {
  const address = item.trim().replace(/^"(.*)"$/, '$1');
  return /^\[(.+)\](?::\d+)?$/.exec(address)?.[1] ?? /^([\d.]+):\d+$/.exec(address)?.[1] ?? address;
}

/** Behind a proxy nobody told us about, all people seem to have one address. */
function warnOnce() {
  const logger = new Logger('Rate limit');
  let isSaid = false;
  return ({ app, headers }: Request) => {
    if (isSaid || !headers['x-forwarded-for'] || app.get('trust proxy') !== false) return;
    isSaid = true;
    logger.warn(
      'Requests come through a proxy, whose address counts for everybody behind it. Name it in TRUSTED_PROXIES, or set AUTH_RATE_LIMIT=0',
    );
  };
}
