import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import type { Applications } from '../directory/applications.js';
import { instanceId, type Events } from '../actions/events.js';
import { userEvent } from '../actions/user-events.js';
import type { Directory } from '../directory/users.js';
import { sendAsGo, type Posted } from '../http/send-as-go.js';
import { isLoopbackUri } from '../http/uris.js';
import type { SigningKeys } from '../keys/signing-keys.js';
import { appendBounded } from '../storage/bounded-map.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import { isV1, type BrowserSessions } from './browser-sessions.js';

const tokenLifetimeSeconds = 15 * 60;
const finalStatuses = [200, 202, 204, 400];
const redirectStatuses = [301, 302, 303, 307, 308];
const redirectsToGet = [301, 302, 303];
const maxRedirects = 10;
/** factor between two delays: Zitadel waits about 1.8 s, then 16 s */
const pauseFactor = 9;

/** One attempt to deliver a logout token. `status` is null when the application did not respond. */
export interface BackChannelDelivery {
  uri: string;
  clientId: string;
  sid: string;
  attempt: number;
  status: number | null;
  at: number;
}

/** Timeout and retries of a delivery. */
export interface BackChannelPace {
  /** time limit for a response */
  timeoutMs: number;
  tries: number;
  /** delay before the second try; each later delay is nine times as long */
  retryDelayMs: number;
}

interface Target {
  uri: string;
  clientId: string;
  sid: string;
}

/**
 * Delivers logout tokens in the background (OpenID Connect Back-Channel Logout 1.0). As Zitadel does, it sends one
 * request at a time, to whichever application.
 */
export class BackChannelLogout {
  readonly deliveries: BackChannelDelivery[] = [];
  /** Zitadel's default `HTTPClient.DenyList`: no request to loopback addresses. Nothing is sent and no error is reported. */
  isDenied = false;
  private readonly stopped = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly issuer: string,
    private readonly applications: Applications,
    private readonly keys: SigningKeys,
    private readonly pace: BackChannelPace,
  ) {
    // one listener per delay; Node warns of a leak above ten
    setMaxListeners(0, this.stopped.signal);
  }

  /** Starts one delivery for each entry of `clientIds`, without waiting. */
  notify(sid: string, userId: string, clientIds: string[]): void {
    if (this.isDenied) return;
    for (const clientId of clientIds) {
      const uri = this.applications.byClientId(clientId)?.backChannelLogoutUri;
      if (uri === undefined) continue;
      const run = this.deliver({ uri, clientId, sid }, userId).catch(() => undefined);
      this.running.add(run);
      void run.finally(() => this.running.delete(run));
    }
  }

  async stop(): Promise<void> {
    this.stopped.abort();
    await Promise.all(this.running);
  }

  private async deliver(target: Target, userId: string): Promise<void> {
    const jti = newId();
    let pauseMs = this.pace.retryDelayMs;
    for (let attempt = 1; attempt <= this.pace.tries; attempt++) {
      if (attempt > 1) {
        await wait(pauseMs, undefined, { signal: this.stopped.signal });
        pauseMs *= pauseFactor;
      }
      const status = await this.enqueue(async () =>
        this.sendLogoutToken(target.uri, await this.logoutToken(target, userId, jti)),
      );
      appendBounded(this.deliveries, { ...target, attempt, status, at: Date.now() });
      if (status !== null && finalStatuses.includes(status)) return;
    }
  }

  private enqueue<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.queue.then(run);
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Returns the status of the last response after redirects, which it follows as Go's http.Client does. */
  private async sendLogoutToken(uri: string, logoutToken: string): Promise<number | null> {
    const signal = AbortSignal.any([this.stopped.signal, AbortSignal.timeout(this.pace.timeoutMs)]);
    const body = new URLSearchParams({ logout_token: logoutToken }).toString();
    let posted: Posted | undefined = { body, contentType: 'application/x-www-form-urlencoded' };
    try {
      for (let followed = 0; followed <= maxRedirects && isLoopbackUri(uri); followed++) {
        const { statusCode = 0, headers } = await sendAsGo(uri, posted, signal);
        if (!redirectStatuses.includes(statusCode) || headers.location === undefined) return statusCode;
        if (redirectsToGet.includes(statusCode)) posted = undefined;
        uri = new URL(headers.location, uri).href;
      }
    } catch {
      // connection refused, or no response in time
    }
    return null;
  }

  private logoutToken({ clientId, sid }: Target, userId: string, jti: string): Promise<string> {
    const now = nowSeconds();
    return this.keys.sign({
      iss: this.issuer,
      sub: userId,
      aud: [clientId],
      iat: now - 1,
      exp: now + tokenLifetimeSeconds,
      jti,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      sid,
    });
  }
}

/** Ends the session, and notifies the applications that got tokens in it and the targets of events. */
export async function endSessionAndNotify(sid: string, instance: SessionEnd): Promise<void> {
  const { sessions, backChannel, directory, events, issuer } = instance;
  const ended = await sessions.end(sid);
  if (!ended) return;
  const userId = ended.session.accountId ?? '';
  const user = directory.byId(userId);
  if (!isV1(sid)) {
    const event_payload = { triggerOrigin: issuer };
    const event = { aggregateID: sid, aggregateType: 'session', resourceOwner: instanceId } as const;
    events.publish({ ...event, event_type: 'session.terminated', event_payload });
  } else if (user) {
    const event_payload = { userAgentID: newId(), sessionID: sid, triggerOrigin: issuer };
    events.publish(userEvent(user, 'user.human.signed.out', { userID: userId, event_payload }));
  }
  backChannel.notify(sid, userId, ended.clientIds);
}

interface SessionEnd {
  issuer: string;
  sessions: BrowserSessions;
  backChannel: BackChannelLogout;
  directory: Directory;
  events: Events;
}
