import helmet from 'helmet';
import type { Env } from '../config/env.js';

/**
 * Security headers of every answer. Browsers apply `form-action` to the redirects after a form post, too,
 * so the sign-in and sign-out forms need Zitadel's origin in it, and those it sends the browser on to at once.
 */
export function securityHeaders({ origin, zitadel }: Env) {
  const secure = origin.startsWith('https:');
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        fontSrc: ["'self'"],
        imgSrc: ["'self'", 'data:', zitadel.issuer],
        connectSrc: ["'self'"],
        formAction: ["'self'", zitadel.issuer, ...zitadel.loginOrigins],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        ...(secure ? { upgradeInsecureRequests: [] } : {}),
      },
    },
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
    strictTransportSecurity: secure && { maxAge: 31_536_000, includeSubDomains: false },
  });
}
