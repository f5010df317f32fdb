import { isIP } from 'node:net';
import { HttpException, Logger } from '@nestjs/common';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { ipKeyGenerator, rateLimit, type Options } from 'express-rate-limit';

const WINDOW_MS = 60_000;

/** 429: too many requests from one address. Trying again after `Retry-After` seconds helps. */
class TooManyRequests extends HttpException {
  readonly code = 'TOO_MANY_REQUESTS';

  constructor() {
    super('Too many requests. Please try again later', 429);
  }
}

/** Requests that are counted together. */
export interface LimitedPaths {
  paths: RegExp;
  /** whether only responses with status 400 and above count */
  countsRefusedOnly?: boolean;
}

/**
 * Limits requests.
 *
 * @param perMinute from one address (of an IPv6 network: /56); 0 = no limit
 * @param proxyHint end of the warning about a proxy that Express does not trust (`trust proxy`)
 */
export function limitRate(
  perMinute: number,
  groups: readonly LimitedPaths[],
  proxyHint: string,
): RequestHandler {
  if (perMinute === 0) return (_request, _response, next) => next();
  const limits = groups.map(({ paths, countsRefusedOnly: skipSuccessfulRequests = false }) => ({
    paths,
    limit: limiter({ limit: perMinute, skipSuccessfulRequests }),
  }));
  const warn = warnOnce(proxyHint);
  return (request: Request, response: Response, next: NextFunction) => {
    const found = limits.find(({ paths }) => paths.test(request.path));
    if (!found) return next();
    warn(request);
    forgetPorts(request);
    void found.limit(request, response, next);
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
function warnOnce(proxyHint: string) {
  const logger = new Logger('Rate limit');
  let isSaid = false;
  return ({ app, headers }: Request) => {
    if (isSaid || !headers['x-forwarded-for'] || app.get('trust proxy') !== false) return;
    isSaid = true;
    logger.warn(
      `Requests come through a proxy that is not trusted, so all clients behind it share one rate limit. ${proxyHint}`,
    );
  };
}
