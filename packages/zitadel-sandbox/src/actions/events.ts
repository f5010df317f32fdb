import { createHmac } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { timestamp } from '../directory/changes.js';
import { sendAsGo } from '../http/send-as-go.js';
import { isLoopbackUri } from '../http/uris.js';
import { appendBounded } from '../storage/bounded-map.js';
import { idFor } from '../storage/ids.js';
import { nowSeconds } from '../storage/now.js';
import type { Actions, Target } from './actions.js';

/** An event as somebody causes it; the log adds what all events have. */
export interface NewEvent {
  aggregateID: string;
  aggregateType: 'user' | 'usergrant' | 'project' | 'session';
  resourceOwner: string;
  event_type: string;
  /** who caused it; default: an administrator */
  userID?: string | undefined;
  event_payload?: object;
}

/** One call of a target for an event. `status` is null when the target did not respond, or is on another machine. */
export interface EventDelivery {
  endpoint: string;
  eventType: string;
  status: number | null;
  /** the body as it was sent */
  body: string;
}

/** id of the instance, which events name */
export const instanceId = idFor('instance');
const administratorId = '320000000000000010';

/**
 * Sends events to the targets of their executions, as Zitadel does: one after the other in their order, each once. A target that fails loses
 * the event, and with `interruptOnError` the targets after it, too.
 */
export class Events {
  readonly deliveries: EventDelivery[] = [];
  private readonly stopped = new AbortController();
  private readonly sequences = new Map<string, number>();
  private queue: Promise<unknown> = Promise.resolve();

  constructor(private readonly actions: Actions) {
    // one listener per call; Node warns of a leak above ten
    setMaxListeners(0, this.stopped.signal);
  }

  /** Appends an event, and sends it in the background. */
  publish({ aggregateID, aggregateType, resourceOwner, userID, ...event }: NewEvent): void {
    const sequence = (this.sequences.get(aggregateID) ?? 0) + 1;
    this.sequences.set(aggregateID, sequence);
    const body = JSON.stringify({
      aggregateID,
      aggregateType,
      resourceOwner,
      instanceID: instanceId,
      version: aggregateType === 'user' ? 'v2' : 'v1',
      sequence,
      event_type: event.event_type,
      created_at: timestamp(),
      userID: userID ?? administratorId,
      event_payload: event.event_payload,
    });
    const type = event.event_type;
    this.queue = this.queue.then(() => this.send(type, body)).catch(() => undefined);
  }

  /** Drops what has not been sent. */
  async stop(): Promise<void> {
    this.stopped.abort();
    await this.queue;
  }

  private async send(eventType: string, body: string): Promise<void> {
    if (this.stopped.signal.aborted) return;
    for (const target of this.actions.targetsOf(eventType)) {
      const call = this.call(target, body).then((status) => {
        appendBounded(this.deliveries, { endpoint: target.endpoint, eventType, status, body });
        return status;
      });
      if ('restAsync' in target.type) continue;
      const status = await call;
      const [how] = Object.values(target.type) as { interruptOnError?: boolean }[];
      if (how?.interruptOnError && (status === null || status >= 400)) return;
    }
  }

  private async call({ endpoint, timeout, signingKey }: Target, body: string): Promise<number | null> {
    if (!isLoopbackUri(endpoint)) return null;
    const timeoutMs = Number.parseInt(timeout) * 1000;
    const signal = AbortSignal.any([this.stopped.signal, AbortSignal.timeout(timeoutMs)]);
    const headers = { 'zitadel-signature': signatureOf(body, signingKey) };
    try {
      const response = await sendAsGo(endpoint, { body, contentType: 'application/json', headers }, signal);
      return response.statusCode ?? null;
    } catch {
      return null;
    }
  }
}

/** `t=<seconds>,v1=<hex>`: HMAC with SHA-256 over the seconds, a dot and the body. */
function signatureOf(body: string, key: string): string {
  const seconds = nowSeconds();
  return `t=${seconds},v1=${createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex')}`;
}
