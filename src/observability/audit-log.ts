import {
  describeError,
  describeSignInFailure,
  type HttpRequest,
  type SessionEnded,
  type SignInFailed,
} from '@mridang/nestjs-auth';
import type {
  BackChannelLogoutResult,
  RefreshResult,
  SessionOwner,
  SignOutResult,
  ZitadelEndpoint,
  ZitadelObserver,
} from '@mridang/nestjs-zitadel';
import { Logger } from '@nestjs/common';
import type { Env } from '../config/env.js';
import { aboutRequest } from './about-request.js';
import { Metrics } from './metrics.js';
import { Pseudonyms } from './pseudonyms.js';

type Level = 'debug' | 'log' | 'warn' | 'error';

/** Counts what happens to sign-ins and sessions, and writes a log line that names the event. Users and sessions have pseudonyms there. */
export class AuditLog implements ZitadelObserver {
  private readonly logger = new Logger('Event');
  private readonly pseudonyms: Pseudonyms;

  constructor(
    private readonly metrics: Metrics,
    session: Env['session'],
  ) {
    this.pseudonyms = new Pseudonyms(session);
  }

  signedIn(owner: SessionOwner, request: HttpRequest) {
    this.metrics.logins.inc({ result: 'success' });
    this.note('log', 'login.succeeded', 'A user signed in', owner, aboutRequest(request));
  }

  /** A cancelled sign-in is a warning; one that an operator has to look at is an error. */
  signInFailed(failure: SignInFailed, request: HttpRequest) {
    const { reason, reference } = failure;
    this.metrics.logins.inc({ result: reason });
    this.note(
      failure.needsOperator ? 'error' : 'warn',
      'login.failed',
      describeSignInFailure(failure),
      {},
      { reason, reference, ...aboutRequest(request) },
    );
  }

  refreshed(result: RefreshResult, owner: SessionOwner) {
    this.metrics.refreshes.inc({ result });
    if (result === 'renewed') this.note('log', 'session.refreshed', 'Tokens were renewed', owner);
  }

  sessionEnded(owner: SessionOwner, ended: SessionEnded, request: HttpRequest) {
    const { reason } = ended;
    this.metrics.sessionsEnded.inc({ reason });
    const text = `A session has ended\n${describeError(ended)}`;
    this.note('warn', 'session.ended', text, owner, { reason, ...aboutRequest(request) });
  }

  signedOut(kind: 'user' | 'everywhere', result: SignOutResult, owner: SessionOwner, request: HttpRequest) {
    this.metrics.logouts.inc({ kind, result });
    this.note('log', 'logout', 'A user signed out', owner, {
      kind,
      result,
      ...aboutRequest(request),
    });
  }

  /** @param error why the sessions were not ended */
  backChannelLogout(
    result: BackChannelLogoutResult,
    owner: SessionOwner,
    request: HttpRequest,
    error?: unknown,
  ) {
    this.metrics.logouts.inc({ kind: 'back-channel', result });
    const [level, text]: [Level, string] = error
      ? ['warn', `A back-channel logout failed\n${describeError(error)}`]
      : result === 'nothing'
        ? ['debug', 'Back-channel logout of a session that had ended before']
        : ['log', 'Sessions ended by back-channel logout'];
    this.note(level, 'backchannel_logout', text, owner, { result, ...aboutRequest(request) });
  }

  refreshTokenRevoked(result: 'done' | 'failed') {
    this.metrics.revocations.inc({ result });
  }

  requested(endpoint: ZitadelEndpoint, result: 'ok' | 'refused' | 'unavailable', seconds: number) {
    this.metrics.requested(endpoint, result, seconds);
  }

  private note(
    level: Level,
    event: string,
    text: string,
    { sub, sid }: SessionOwner,
    about: Record<string, unknown> = {},
  ) {
    this.logger[level](text, {
      event,
      ...about,
      ...(sub === undefined ? {} : { user: this.pseudonyms.of(sub) }),
      ...(sid === undefined ? {} : { session: this.pseudonyms.of(sid) }),
    });
  }
}
