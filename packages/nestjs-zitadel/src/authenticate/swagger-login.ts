import { createHash } from 'node:crypto';
import { audienceScope, ROLES_SCOPE } from '../claims/claims.js';
import { loginAddresses } from '../client/checked-metadata.js';

/** Swagger UI derives its redirect URI from the address of the page, which must end with a slash. */
const slashAtEnd = (path: string) =>
  `if (location.pathname.endsWith('/${path}')) history.replaceState(null, '', location.pathname + '/' + location.search + location.hash)`;

/** Swagger UI shows a field for a client secret with PKCE as well. */
const NO_SECRET = '.auth-container .wrapper:has([for^=client_secret]) { display: none }';

interface SwaggerLoginOptions {
  issuer: string;
  /** of a user agent application with PKCE and without a secret, whose redirect URI is `/{path}/oauth2-redirect.html` */
  clientId: string | undefined;
  /** project of the API */
  projectId: string | undefined;
  /** of the page of Swagger UI, without a slash at its beginning */
  path: string;
}

/**
 * What Swagger UI needs to sign in at Zitadel as an application of its own, with PKCE.
 *
 * @returns `scheme` for `DocumentBuilder.addOAuth2()`, `ui` for `SwaggerModule.setup()`, and the directives of a `Content-Security-Policy` for
 * `pages`: Swagger UI uses inline styles, and requests tokens from Zitadel
 */
export function swaggerLogin({ issuer, clientId, projectId, path }: SwaggerLoginOptions) {
  const scopes: Record<string, string> = {
    openid: 'who you are',
    [ROLES_SCOPE]: 'your roles',
    ...(projectId ? { [audienceScope(projectId)]: 'calling this API' } : {}),
  };
  const script = slashAtEnd(path);
  return {
    pages: [`/${path}`, `/${path}/index.html`, `/${path}/oauth2-redirect.html`],
    scheme: {
      type: 'oauth2' as const,
      flows: { authorizationCode: { ...loginAddresses(issuer), scopes } },
    },
    ui: {
      customJsStr: script,
      customCss: NO_SECRET,
      swaggerOptions: {
        initOAuth: {
          clientId: clientId ?? '',
          usePkceWithAuthorizationCodeGrant: true,
          scopes: Object.keys(scopes),
        },
      },
    },
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'", `'sha256-${createHash('sha256').update(script).digest('base64')}'`],
      styleSrc: ["'self'", "'unsafe-inline'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'", issuer],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
  };
}
