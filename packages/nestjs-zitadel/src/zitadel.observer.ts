import type { HttpRequest, SessionEnded, SignInFailed } from '@mridang/nestjs-auth';

/** A user and a session at Zitadel. */
export interface SessionOwner {
  sub?: string | undefined;
  sid?: string | undefined;
}

export type RefreshResult = 'renewed' | 'rejected' | 'in_doubt' | 'not_allowed' | 'unavailable';
export type SignOutResult = 'done' | 'no_session' | 'others_not_ended';
/** `nothing`: the sessions of the logout token had ended before */
export type BackChannelLogoutResult = 'done' | 'nothing' | 'refused' | 'unavailable';

/** `nothing`: an event that has no effect here, was received before, or is of a session that had ended */
export type EventResult = 'done' | 'nothing' | 'refused';

/** Receives events, for metrics. Its methods must not throw. */
export interface ZitadelObserver {
  signedIn?(owner: SessionOwner, request: HttpRequest): void;
  signInFailed?(failure: SignInFailed, request: HttpRequest): void;
  refreshed?(result: RefreshResult, owner: SessionOwner): void;
  sessionEnded?(owner: SessionOwner, ended: SessionEnded, request: HttpRequest): void;
  signedOut?(
    kind: 'user' | 'everywhere',
    result: SignOutResult,
    owner: SessionOwner,
    request: HttpRequest,
  ): void;
  /** @param error why the sessions were not ended */
  backChannelLogout?(
    result: BackChannelLogoutResult,
    owner: SessionOwner,
    request: HttpRequest,
    error?: unknown,
  ): void;
  /**
   * An event of Zitadel was received (Actions v2).
   *
   * @param type such as `user.locked`; `undefined` for a refused one
   * @param error why it was refused
   */
  eventReceived?(
    result: EventResult,
    type: string | undefined,
    owner: SessionOwner,
    request: HttpRequest,
    error?: unknown,
  ): void;
  refreshTokenRevoked?(result: 'done' | 'failed'): void;
  introspected?(result: 'active' | 'inactive' | 'unavailable'): void;
  /** An introspection result came from the cache. */
  introspectionCached?(result: 'active' | 'inactive'): void;
  /** An HTTP request to Zitadel has ended. */
  requested?(endpoint: ZitadelEndpoint, result: 'ok' | 'refused' | 'unavailable', seconds: number): void;
}

export type ZitadelEndpoint = 'discovery' | 'token' | 'userinfo' | 'keys' | 'revoke' | 'introspect' | 'other';
