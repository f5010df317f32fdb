import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Env } from '../config/env.js';
import type { LoginOrigin } from '@mridang/nestjs-zitadel';

/** Browser features that no page here uses. Passkeys are used on Zitadel's own pages. Short: nginx takes 4 KB of headers. */
const permissionsPolicy =
  'accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen geolocation gyroscope hid magnetometer microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock serial usb'
    .split(' ')
    .map((feature) => `${feature}=()`)
    .join(', ');

/**
 * Security headers of every answer. Chromium applies `form-action` to redirects after a form post as well, so it has to name Zitadel's
 * origin and the origins Zitadel redirects to, as far as they are known.
 */
export function securityHeaders({ origin, zitadel }: Env, login: LoginOrigin): RequestHandler {
  const secure = origin.startsWith('https:');
  const setHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", zitadel.issuer],
        connectSrc: ["'self'"],
        formAction: ["'self'", () => [zitadel.issuer, ...login.origins].join(' ')],
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
  });
  return (request, response, next) => {
    response.setHeader('Permissions-Policy', permissionsPolicy);
    setHeaders(request, response, next);
  };
}

/** Answers of routes depend on the session and must not be cached. Static files may be. */
export const personalAnswers: RequestHandler = (request, response, next) => {
  if (!request.url.startsWith('/static/')) {
    response.setHeader('Cache-Control', 'no-store');
    response.setHeader('Vary', 'Cookie');
  }
  next();
};
