import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { JWT } from '@auth/core/jwt';

/** Members of every signed-in user. Declare more in `AuthUserAugmentation`. */
export interface AuthUserBase {
  /** The provider's `sub`: the only claim that identifies a user (OpenID Connect Core 5.7). */
  id: string;
  name?: string | null;
  email?: string | null;
  image?: string | null;
  /** What `@RequireRoles()` compares with. */
  roles?: string[];
}

/** Open for module augmentation: members declared here appear on `AuthUser`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- module augmentation needs an interface
export interface AuthUserAugmentation {}

export interface AuthUser extends AuthUserBase, AuthUserAugmentation {}

/** Members of every session. Declare more in `SessionAugmentation`. */
export interface SessionBase {
  /**
   * The user: `null` in no session that this module returns, only in those that a program or its tests make. With
   * `interface SessionAugmentation { user: AuthUser }` the type says so, too.
   */
  user: AuthUser | null;
  /** When the session expires without another request, ISO 8601. */
  expires: string;
}

/** Open for module augmentation: members declared here appear on `Session`. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- module augmentation needs an interface
export interface SessionAugmentation {}

/** The session as handlers receive it. Holds no tokens: it may be sent to the browser. */
export type Session = SessionBase & SessionAugmentation;

/** The members of an Express or Fastify request that this module reads. */
export interface HttpRequest {
  method: string;
  url: string;
  originalUrl?: string;
  headers: IncomingHttpHeaders;
  body?: unknown;
}

/** An Express response, or a Fastify reply with its `raw` response. */
export type HttpResponse = ServerResponse | { raw: ServerResponse };

/** A request after the guard: `session` is set, and `null` when nobody is signed in. */
export interface AuthenticatedRequest extends HttpRequest {
  session?: Session | null;
  user?: AuthUser;
}

/** The content of the encrypted session cookie. Must not leave the server. */
export type SessionToken = JWT;
