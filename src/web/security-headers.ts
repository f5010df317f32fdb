import { headersOf } from '@mridang/nestjs-program';
import type { LoginOrigin } from '@mridang/nestjs-zitadel';
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Env } from '../config/env.js';

/** Browser features that no page here uses. Passkeys are used on Zitadel's own pages. Short: nginx takes 4 KB of headers. */
const permissionsPolicy =
  'accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen geolocation gyroscope hid magnetometer microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock serial usb'
    .split(' ')
    .map((feature) => `${feature}=()`)
    .join(', ');

/**
 * Sets the security headers of every answer, and forbids to store those of routes, which depend on the session. Chromium applies
 * `form-action` to redirects after a form post as well, so it has to name Zitadel's origin and the origins Zitadel redirects to, as far
 * as they are known.
 */
export function securityHeaders(
  { origin, zitadel }: Env,
  login: Pick<LoginOrigin, 'origins'>,
): RequestHandler {
  const secure = origin.startsWith('https:');
  const headersFor = (origins: readonly string[]) =>
    headersOf(
      helmet({
        contentSecurityPolicy: {
          useDefaults: false,
          directives: {
            defaultSrc: ["'none'"],
            scriptSrc: ["'self'"],
            styleSrc: ["'self'"],
            fontSrc: ["'self'"],
            imgSrc: ["'self'", zitadel.issuer],
            connectSrc: ["'self'"],
            formAction: ["'self'", zitadel.issuer, ...origins],
            baseUri: ["'none'"],
            objectSrc: ["'none'"],
            frameAncestors: ["'none'"],
            requireTrustedTypesFor: ["'script'"],
            trustedTypes: ["'none'"],
            ...(secure ? { upgradeInsecureRequests: [] } : {}),
          },
        },
        frameguard: { action: 'deny' },
        referrerPolicy: { policy: 'same-origin' },
        strictTransportSecurity: secure && { maxAge: 31_536_000, includeSubDomains: false },
      }),
    );
  let origins = login.origins;
  let headers = headersFor(origins);
  return (request, response, next) => {
    if (login.origins !== origins) headers = headersFor((origins = login.origins));
    response.setHeader('Permissions-Policy', permissionsPolicy);
    for (const [name, value] of headers) response.setHeader(name, value);
    if (!request.url.startsWith('/static/')) {
      response.setHeader('Cache-Control', 'no-store');
      response.setHeader('Vary', 'Cookie');
    }
    next();
  };
}
