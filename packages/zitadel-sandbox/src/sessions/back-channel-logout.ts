import { once, setMaxListeners } from 'node:events';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as wait } from 'node:timers/promises';
import type { Applications } from '../directory/applications.js';
import { isLoopbackUri } from '../http/uris.js';
import type { SigningKeys } from '../keys/signing-keys.js';
import { appendBounded } from '../storage/bounded-map.js';
import { newId } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import type { BrowserSessions } from './browser-sessions.js';

const tokenLifetimeSeconds = 15 * 60;
const done = [200, 202, 204, 400];
const redirects = [301, 302, 303, 307, 308];
const withoutBody = [301, 302, 303];
const maxRedirects = 10;
/** how much longer each pause is than the one before: about 1.8 s and 16 s were seen */
const pauseFactor = 9;

/** One attempt to tell an application that a session has ended. `status` is null when it did not answer. */
export interface BackChannelDelivery {
  uri: string;
  clientId: string;
  sid: string;
  attempt: number;
  status: number | null;
  at: number;
}

/** How persistent the sandbox is. */
export interface BackChannelPace {
  /** how long to wait for an answer */
  timeoutMs: number;
  tries: number;
  /** pause before the second try; each further one is nine times as long */
  retryDelayMs: number;
}

interface Target {
  uri: string;
  clientId: string;
  sid: string;
}

/**
 * Tells applications in the background that a session has ended (OpenID Connect Back-Channel Logout, as Zitadel):
 * one call after the other, whoever is to be told.
 */
export class BackChannelLogout {
  readonly deliveries: BackChannelDelivery[] = [];
  /** as `HTTPClient.DenyList` is shipped: no call to this machine, and so none at all, without a word to anybody */
  isDenied = false;
  private readonly stopped = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private calls: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly issuer: string,
    private readonly applications: Applications,
    private readonly keys: SigningKeys,
    private readonly pace: BackChannelPace,
  ) {
    // one listener for each pause; Node takes more than ten for a leak
    setMaxListeners(0, this.stopped.signal);
  }

  /** Starts to tell these clients, each as often as it is named; does not wait for them. */
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
      const status = await this.inTurn(async () =>
        this.call(target.uri, await this.logoutToken(target, userId, jti)),
      );
      appendBounded(this.deliveries, { ...target, attempt, status, at: Date.now() });
      if (status !== null && done.includes(status)) return;
    }
  }

  private inTurn<Result>(run: () => Promise<Result>): Promise<Result> {
    const result = this.calls.then(run);
    this.calls = result.catch(() => undefined);
    return result;
  }

  /** Follows redirects, as a client in Go does; the last answer counts. */
  private async call(uri: string, logoutToken: string): Promise<number | null> {
    const signal = AbortSignal.any([this.stopped.signal, AbortSignal.timeout(this.pace.timeoutMs)]);
    let body: string | undefined = new URLSearchParams({ logout_token: logoutToken }).toString();
    try {
      for (let followed = 0; followed <= maxRedirects && isLoopbackUri(uri); followed++) {
        const { statusCode = 0, headers } = await answerOf(uri, body, signal);
        if (!redirects.includes(statusCode) || headers.location === undefined) return statusCode;
        if (withoutBody.includes(statusCode)) body = undefined;
        uri = new URL(headers.location, uri).href;
      }
    } catch {
      // nobody there, or no answer in time
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

/** A POST with that form, or a GET; its headers are those of a client in Go. */
async function answerOf(
  uri: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const send = uri.startsWith('https:') ? requestHttps : requestHttp;
  const request = send(uri, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'user-agent': 'Go-http-client/1.1',
      ...(body !== undefined && {
        'content-length': Buffer.byteLength(body),
        'content-type': 'application/x-www-form-urlencoded',
      }),
      'accept-encoding': 'gzip',
    },
    agent: false,
    signal,
  });
  request.end(body);
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  // an answer that was enough: how its body goes on is of no interest
  response.on('error', () => undefined).destroy();
  return response;
}

/** Ends the session and notifies the applications that got tokens in it. */
export async function endSessionAndNotify(
  sid: string,
  { sessions, backChannel }: { sessions: BrowserSessions; backChannel: BackChannelLogout },
): Promise<void> {
  const ended = await sessions.end(sid);
  if (ended) backChannel.notify(sid, ended.session.accountId ?? '', ended.clientIds);
}
