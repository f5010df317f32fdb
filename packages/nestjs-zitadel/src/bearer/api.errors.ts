import type { RefusalFacts, RefusalReason } from '@mridang/nestjs-auth';
import { HttpException } from '@nestjs/common';

type ErrorOptions = RefusalReason & { cause?: unknown };

/** Base of the HTTP errors of the API: a JSON body, and a challenge (RFC 6750 3). */
export abstract class ApiError extends HttpException implements RefusalReason {
  abstract readonly code: string;
  readonly needed: RefusalFacts;
  readonly held: RefusalFacts;
  readonly help: string | undefined;

  constructor(
    message: string,
    status: number,
    /** `WWW-Authenticate` header */
    readonly challenge?: string,
    { needed = {}, held = {}, help, ...options }: ErrorOptions = {},
  ) {
    super(message, status, options);
    this.name = new.target.name;
    this.needed = needed;
    this.held = held;
    this.help = help;
  }

  override getResponse(): { statusCode: number; code: string; message: string } {
    return { statusCode: this.getStatus(), code: this.code, message: this.message };
  }
}

/** 401: the request has no bearer token. */
export class TokenRequired extends ApiError {
  readonly code = 'API_TOKEN_REQUIRED';

  constructor(held: RefusalFacts = { bearerToken: 'none' }) {
    super('This needs a bearer token', 401, 'Bearer', { needed: { bearerToken: true }, held });
  }
}

/** 401: the token is unknown, expired, revoked, or has another audience. The caller is not told which. */
export class TokenInvalid extends ApiError {
  readonly code = 'API_TOKEN_INVALID';

  constructor(options?: ErrorOptions) {
    const message = 'The token is not valid here';
    super(message, 401, challenge('invalid_token', message), options);
  }
}

/** 401: the login of the caller is too old (RFC 9470). */
export class LoginTooOld extends ApiError {
  readonly code = 'API_LOGIN_TOO_OLD';

  constructor(
    readonly maxAgeSeconds: number,
    held?: RefusalFacts,
  ) {
    const message = 'This needs a more recent login';
    const needed = { signInAgeSeconds: maxAgeSeconds };
    super(message, 401, insufficientAuthentication(message, maxAgeSeconds), { needed, held });
  }
}

/** 401: the caller has logged in without a required authentication method (RFC 9470). */
export class FactorsRequired extends ApiError {
  readonly code = 'API_FACTORS_REQUIRED';

  constructor(
    readonly factors: readonly string[],
    held?: RefusalFacts,
  ) {
    const message = `This needs a login with: ${factors.join(', ')}`;
    super(message, 401, insufficientAuthentication(message), { needed: { factors }, held });
  }
}

/** 400: more than one `Authorization` header. */
export class AuthorizationAmbiguous extends ApiError {
  readonly code = 'API_AUTHORIZATION_AMBIGUOUS';

  constructor() {
    const message = 'There is more than one Authorization header';
    super(message, 400, challenge('invalid_request', message));
  }
}

/** 403: the token lacks a scope. */
export class ScopeRequired extends ApiError {
  readonly code = 'API_SCOPE_REQUIRED';

  constructor(
    readonly scopes: readonly string[],
    held?: RefusalFacts,
  ) {
    const message = 'The token lacks a scope this needs';
    const needed = { scopes };
    super(message, 403, `${challenge('insufficient_scope', message)}, scope="${scopes.join(' ')}"`, {
      needed,
      held,
    });
  }
}

/** 403: the caller has none of the roles. */
export class CallerRoleRequired extends ApiError {
  readonly code = 'API_ROLE_REQUIRED';

  constructor(
    readonly roles: readonly string[],
    held?: RefusalFacts,
  ) {
    const message = 'The caller lacks a role this needs';
    super(message, 403, challenge('insufficient_scope', message), { needed: { roles }, held });
  }
}

/** 503: the introspection endpoint does not answer. A retry may succeed. */
export class IntrospectionUnavailable extends ApiError {
  readonly code = 'API_INTROSPECTION_UNAVAILABLE';

  constructor(options?: { cause?: unknown }) {
    super('Tokens cannot be checked right now', 503, undefined, options);
  }
}

/** The challenge of RFC 9470 3. */
export const insufficientAuthentication = (description: string, maxAgeSeconds?: number) =>
  challenge('insufficient_user_authentication', description) +
  (maxAgeSeconds === undefined ? '' : `, max_age="${maxAgeSeconds}"`);

const challenge = (error: string, description: string) =>
  `Bearer error="${error}", error_description="${description}"`;
