import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { appendLatest } from './append-latest.js';
import type { Applications } from './clients.js';
import { newId } from './ids.js';
import { nowSeconds } from './now.js';
import type { SigningKeys } from './signing-keys.js';

const attempts = 3;
const tokenLifetimeSeconds = 15 * 60;
const done = [200, 202, 204];

/** One attempt to tell an application that a session has ended. `status` is null when it did not answer. */
export interface BackChannelDelivery {
  uri: string;
  clientId: string;
  sid: string;
  attempt: number;
  status: number | null;
  at: number;
}

/** How long to wait, in milliseconds: for an answer, and before the second attempt (twice that before the third). */
export interface BackChannelPace {
  timeoutMs: number;
  retryDelayMs: number;
}

/** Tells applications in the background that a session has ended (OpenID Connect Back-Channel Logout, as Zitadel). */
export class BackChannelLogout {
  readonly deliveries: BackChannelDelivery[] = [];
  private readonly stopped = new AbortController();
  private readonly running = new Set<Promise<void>>();

  constructor(
    private readonly issuer: string,
    private readonly applications: Applications,
    private readonly keys: SigningKeys,
    private readonly pace: BackChannelPace,
  ) {
    // one listener for each pause; Node takes more than ten for a leak
    setMaxListeners(0, this.stopped.signal);
  }

  /** Starts to tell these clients; does not wait for them. */
  notify(sid: string, userId: string, clientIds: string[]): void {
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

  private async deliver(
    target: { uri: string; clientId: string; sid: string },
    userId: string,
  ): Promise<void> {
    for (let attempt = 1; attempt <= attempts && !this.stopped.signal.aborted; attempt++) {
      if (attempt > 1)
        await wait(this.pace.retryDelayMs * (attempt - 1), undefined, { signal: this.stopped.signal });
      const status = await this.post(target.uri, await this.logoutToken(target.clientId, target.sid, userId));
      appendLatest(this.deliveries, { ...target, attempt, status, at: Date.now() });
      if (status !== null && (done.includes(status) || status === 400)) return;
    }
  }

  private async post(uri: string, logoutToken: string): Promise<number | null> {
    try {
      const response = await fetch(uri, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: logoutToken }),
        redirect: 'manual',
        signal: AbortSignal.any([this.stopped.signal, AbortSignal.timeout(this.pace.timeoutMs)]),
      });
      await response.body?.cancel();
      return response.status;
    } catch {
      return null;
    }
  }

  private logoutToken(clientId: string, sid: string, userId: string): Promise<string> {
    const now = nowSeconds();
    return this.keys.sign({
      iss: this.issuer,
      sub: userId,
      aud: [clientId],
      iat: now - 1,
      exp: now + tokenLifetimeSeconds,
      jti: newId(),
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      sid,
    });
  }
}
