import {
  describeError,
  describeSignInFailure,
  type HttpRequest,
  type SessionEnded,
  type SignInFailed,
} from '@mridang/nestjs-auth';
import { Logger } from '@nestjs/common';
import { bounded } from '../refusals/explanation.js';
import { deriveKey, macOf } from '../keys.js';
import type {
  BackChannelLogoutResult,
  EventResult,
  RefreshResult,
  SessionOwner,
  SignOutResult,
  ZitadelEndpoint,
  ZitadelObserver,
} from '../zitadel.observer.js';

type Level = 'debug' | 'log' | 'warn' | 'error';

const PSEUDONYM_LENGTH = 12;

/** Lines a minute about requests that are no events. */
const MAX_REFUSED_EVENTS = 60;

/**
 * Logs what happens to sign-ins and sessions, with the name of the event, and tells the observer of the program. Users and sessions have
 * pseudonyms (HMAC) in the log.
 */
export class AuditLog implements ZitadelObserver {
  private readonly logger = new Logger('Event');
  private readonly key: Buffer;
  private refusedEvents = { minute: 0, count: 0 };

  constructor(
    secret: string,
    salt: string,
    private readonly observer: ZitadelObserver,
  ) {
    this.key = deriveKey(secret, salt, 'pseudonyms');
  }

  signedIn(owner: SessionOwner, request: HttpRequest) {
    this.observer.signedIn?.(owner, request);
    this.note('log', 'login.succeeded', 'A user signed in', owner, aboutRequest(request));
  }

  /** A cancelled sign-in is a warning; one that an operator has to look at is an error. */
  signInFailed(failure: SignInFailed, request: HttpRequest) {
    this.observer.signInFailed?.(failure, request);
    const { reason, reference, needed, held } = failure;
    const facts = Object.keys(needed).length > 0 ? { needed: bounded(needed), held: bounded(held) } : {};
    const level = failure.needsOperator ? 'error' : 'warn';
    this.note(
      level,
      'login.failed',
      describeSignInFailure(failure),
      {},
      aboutRequest(request, { reason, reference, ...facts }),
    );
  }

  refreshed(result: RefreshResult, owner: SessionOwner) {
    this.observer.refreshed?.(result, owner);
    if (result === 'renewed') this.note('log', 'session.refreshed', 'Tokens were renewed', owner);
  }

  sessionEnded(owner: SessionOwner, ended: SessionEnded, request: HttpRequest) {
    this.observer.sessionEnded?.(owner, ended, request);
    const text = `A session has ended\n${describeError(ended)}`;
    this.note('warn', 'session.ended', text, owner, aboutRequest(request, { reason: ended.reason }));
  }

  signedOut(kind: 'user' | 'everywhere', result: SignOutResult, owner: SessionOwner, request: HttpRequest) {
    this.observer.signedOut?.(kind, result, owner, request);
    this.note('log', 'logout', 'A user signed out', owner, aboutRequest(request, { kind, result }));
  }

  backChannelLogout(
    result: BackChannelLogoutResult,
    owner: SessionOwner,
    request: HttpRequest,
    error?: unknown,
  ) {
    this.observer.backChannelLogout?.(result, owner, request, error);
    const [level, text]: [Level, string] = error
      ? ['warn', `A back-channel logout failed\n${describeError(error)}`]
      : result === 'nothing'
        ? ['debug', 'Back-channel logout of a session that had ended before']
        : ['log', 'Sessions ended by back-channel logout'];
    this.note(level, 'backchannel_logout', text, owner, aboutRequest(request, { result }));
  }

  eventReceived(
    result: EventResult,
    type: string | undefined,
    owner: SessionOwner,
    request: HttpRequest,
    error?: unknown,
  ) {
    this.observer.eventReceived?.(result, type, owner, request, error);
    const [level, text]: [Level, string] = error
      ? [this.refusedEventLevel(), `An event of Zitadel was refused\n${describeError(error)}`]
      : [result === 'done' ? 'log' : 'debug', 'An event of Zitadel was received'];
    this.note(
      level,
      'zitadel_event',
      text,
      owner,
      aboutRequest(request, { result, ...(type ? { type } : {}) }),
    );
  }

  refreshTokenRevoked(result: 'done' | 'failed') {
    this.observer.refreshTokenRevoked?.(result);
  }

  requested(endpoint: ZitadelEndpoint, result: 'ok' | 'refused' | 'unavailable', seconds: number) {
    this.observer.requested?.(endpoint, result, seconds);
  }

  /** Anybody can send requests that are no events, and they are not limited: beyond some a minute they are logged on level `debug`. */
  private refusedEventLevel(): Level {
    const minute = Math.floor(Date.now() / 60_000);
    const count = this.refusedEvents.minute === minute ? this.refusedEvents.count + 1 : 1;
    this.refusedEvents = { minute, count };
    return count > MAX_REFUSED_EVENTS ? 'debug' : 'warn';
  }

  private note(
    level: Level,
    event: string,
    text: string,
    { sub, sid }: SessionOwner,
    fields: Record<string, unknown> = {},
  ) {
    this.logger[level](text, {
      event,
      ...fields,
      ...(sub === undefined ? {} : { user: this.pseudonymOf(sub) }),
      ...(sid === undefined ? {} : { session: this.pseudonymOf(sid) }),
    });
  }

  private pseudonymOf(id: string): string {
    return macOf(this.key, id).slice(0, PSEUDONYM_LENGTH);
  }
}

/** Adds the id of the request, where middleware or a proxy has given it one. */
export function aboutRequest(
  { headers }: Pick<HttpRequest, 'headers'>,
  fields: Record<string, unknown> = {},
) {
  const id = headers['x-request-id'];
  return typeof id === 'string' && /^[\w.-]{1,64}$/.test(id) ? { ...fields, reqId: id } : fields;
}
