import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { JWT } from '@auth/core/jwt';

/** What every signed-in user has. Add to it by declaring `AuthUserAugmentation` members. */
export interface AuthUserBase {
  /** The provider's `sub`: the only claim that identifies a user (OpenID Connect Core 5.7). */
  id: string;
  name?: string | null;
  email?: string | null;
  image?: string | null;
  /** Names that `@RequireRoles()` compares with. */
  roles?: string[];
}

/** Open for module augmentation: members declared here appear on `AuthUser`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- module augmentation needs an interface
export interface AuthUserAugmentation {}

export interface AuthUser extends AuthUserBase, AuthUserAugmentation {}

/** What every session has. Add to it by declaring `SessionAugmentation` members. */
export interface SessionBase {
  user: AuthUser;
  /** When the session ends if nobody uses it, ISO 8601. */
  expires: string;
}

/** Open for module augmentation: members declared here appear on `Session`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- module augmentation needs an interface
export interface SessionAugmentation {}

/** The signed-in user as handlers see them. Holds no tokens: it may be sent to the browser. */
export interface Session extends SessionBase, SessionAugmentation {}

/** The part of an Express or Fastify request this module reads. */
export interface HttpRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: IncomingHttpHeaders;
  body?: unknown;
}

/** An Express response, or a Fastify reply with its `raw` response. */
export type HttpResponse = ServerResponse | { raw: ServerResponse };

/** A request that went through the guard: `session` is set, `null` when nobody is signed in. */
export interface AuthenticatedRequest extends HttpRequest {
  session?: Session | null;
  user?: AuthUser;
}

/** What the encrypted session cookie holds. Stays on the server. */
export type SessionToken = JWT;
