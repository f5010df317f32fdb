import { cookieSpec } from '@mridang/nestjs-auth';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';
import { API_SECURITY_SCHEMES } from './authenticate.decorators.js';

/** The members of an OpenAPI document that `describeCredentials` reads and writes. */
interface Operation {
  security?: Record<string, string[]>[];
  parameters?: unknown[];
  responses?: Record<string, unknown>;
}

/** A document of `@nestjs/swagger`. */
interface Description {
  paths: object;
  components?: object;
}

const { session: COOKIE, bearer: BEARER } = API_SECURITY_SCHEMES;

/** Methods that change nothing (RFC 9110 9.2.1), as an OpenAPI document writes them. */
const SAFE_METHODS: readonly string[] = ['get', 'head', 'options', 'trace'];

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: false,
  description,
  schema: { type: 'string' },
});

const CSRF_TOKEN = header(
  'X-CSRF-Token',
  'With the cookie: the token of GET /auth/csrf. The field csrfToken of a form will do, too',
);
const ORGANIZATION = header('X-Organization', 'Organization to act in, by its id');

/**
 * Completes an OpenAPI document for routes with `@Authenticate()`: the schemes `cookie` and `bearer`, the headers `X-CSRF-Token` and
 * `X-Organization`, the answers 401 and 403. Routes that have their kinds from the option `authenticate` are not described.
 *
 * @param document as `SwaggerModule.createDocument()` of `@nestjs/swagger` returns it
 * @param options from the injection token `ZITADEL_OPTIONS`
 */
export function describeCredentials<T extends Description>(
  document: T,
  {
    origin,
    mountPath,
    organizations,
  }: Pick<ResolvedZitadelOptions, 'origin' | 'mountPath' | 'organizations'>,
): T {
  const { name } = cookieSpec('authjs.session-token', origin, mountPath);
  const securitySchemes = {
    [COOKIE]: { type: 'apiKey', in: 'cookie', name, description: 'The session of a browser' },
    [BEARER]: { type: 'http', scheme: 'bearer', description: 'An access token of Zitadel' },
  };
  const described = (method: string, operation: Operation): Operation => {
    const names = (operation.security ?? []).flatMap(Object.keys);
    if (!names.includes(COOKIE) && !names.includes(BEARER)) return operation;
    const needsProof = names.includes(COOKIE) && names.includes(BEARER) && !SAFE_METHODS.includes(method);
    return {
      ...operation,
      parameters: [
        ...(operation.parameters ?? []),
        ...(needsProof ? [CSRF_TOKEN] : []),
        ...(names.includes(BEARER) && organizations === 'active' ? [ORGANIZATION] : []),
      ],
      responses: {
        401: { description: 'Neither a session nor a valid token' },
        ...(needsProof ? { 403: { description: 'The cookie without the CSRF token' } } : {}),
        ...operation.responses,
      },
    };
  };
  const paths = Object.entries(document.paths as Record<string, Record<string, Operation>>).map(
    ([path, operations]) => [
      path,
      Object.fromEntries(
        Object.entries(operations).map(([method, operation]) => [method, described(method, operation)]),
      ),
    ],
  );
  return {
    ...document,
    paths: Object.fromEntries(paths) as object,
    components: {
      ...document.components,
      securitySchemes: { ...securitySchemes, ...schemesOf(document) },
    },
  };
}

const schemesOf = ({ components = {} }: Description) =>
  (components as { securitySchemes?: Record<string, unknown> }).securitySchemes;
