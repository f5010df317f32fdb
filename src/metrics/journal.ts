import type { IncomingHttpHeaders } from 'node:http';
import {
  describeError,
  describeSignInFailure,
  type SessionEnded,
  type SignInFailed,
} from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import { aboutRequest } from './about-request.js';
import { Metrics } from './metrics.js';
import { Pseudonyms } from './pseudonyms.js';

/** Whose session it is: the user, and the session at Zitadel. */
interface Whose {
  sub?: string | undefined;
  sid?: string | undefined;
}

interface HasHeaders {
  headers: IncomingHttpHeaders;
}

type Level = 'debug' | 'log' | 'warn' | 'error';

/** What becomes of sign-ins and sessions: counted, and a line in the log that names the event and tells nobody who it was. */
@Injectable()
export class Journal {
  private readonly logger = new Logger('Event');
  private readonly pseudonyms: Pseudonyms;

  constructor(
    private readonly metrics: Metrics,
    @Inject(ENV) { session }: Env,
  ) {
    this.pseudonyms = new Pseudonyms(session);
  }

  signedIn(whose: Whose, request: HasHeaders) {
    this.metrics.logins.inc({ result: 'success' });
    this.note('log', 'login.succeeded', 'Somebody has signed in', whose, aboutRequest(request));
  }

  /** A person who changes their mind is no trouble; a provider that refuses is. */
  signInFailed(failure: SignInFailed, request: HasHeaders) {
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

  refreshed(result: 'renewed' | 'rejected' | 'in_doubt' | 'not_allowed' | 'unavailable', whose: Whose) {
    this.metrics.refreshes.inc({ result });
    if (result === 'renewed') this.note('log', 'session.refreshed', 'Tokens were renewed', whose);
  }

  sessionEnded(whose: Whose, ended: SessionEnded, request: HasHeaders) {
    const { reason } = ended;
    this.metrics.sessionsEnded.inc({ reason });
    const text = `A session has ended\n${describeError(ended)}`;
    this.note('warn', 'session.ended', text, whose, { reason, ...aboutRequest(request) });
  }

  /** @param result `done`, or what there was not or did not work */
  signedOut(
    kind: 'user' | 'everywhere',
    result: 'done' | 'no_session' | 'others_not_ended',
    whose: Whose | null,
    request: HasHeaders,
  ) {
    this.metrics.logouts.inc({ kind, result });
    this.note('log', 'logout', 'Somebody has signed out', whose ?? {}, {
      kind,
      result,
      ...aboutRequest(request),
    });
  }

  /**
   * @param result `nothing`: the sessions it was about had ended before
   * @param error why Zitadel's wish was not followed
   */
  backChannelLogout(
    result: 'done' | 'nothing' | 'refused' | 'unavailable',
    whose: Whose,
    request: HasHeaders,
    error?: unknown,
  ) {
    this.metrics.logouts.inc({ kind: 'back-channel', result });
    const [level, text]: [Level, string] = error
      ? ['warn', `A back-channel logout was not done\n${describeError(error)}`]
      : result === 'nothing'
        ? ['debug', 'Zitadel has ended what was over here']
        : ['log', 'Zitadel has ended sessions'];
    this.note(level, 'backchannel_logout', text, whose, { result, ...aboutRequest(request) });
  }

  private note(
    level: Level,
    event: string,
    text: string,
    { sub, sid }: Whose,
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
