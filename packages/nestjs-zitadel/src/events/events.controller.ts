import { hash } from 'node:crypto';
import {
  describeError,
  MethodNotAllowed,
  Public,
  UnknownAuthAction,
  type HttpRequest,
} from '@mridang/nestjs-auth';
import { All, Controller, Inject, Logger, Req, Res } from '@nestjs/common';
import type { Response } from 'express';
import { EndedSessions } from '../session/ended-sessions.js';
import { RequestedReloads } from '../session/requested-reloads.js';
import { SharedState } from '../state/shared-state.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SIGNATURE_LIFETIME_MS, signatureProblem } from './event-signature.js';
import { EVENT_PREFIX, eventFrom, type EventEffect, type ZitadelEvent } from './zitadel-event.js';

/**
 * Receives events of Zitadel (Actions v2, a REST webhook with JSON). The signature alone authenticates the request. Without `eventsKey` the
 * route answers 404. Zitadel sends one event after the other and does not repeat any, so the answer does not wait for the effect.
 */
@Public()
@Controller('auth/zitadel-events')
export class EventsController {
  private readonly logger = new Logger('Events');

  constructor(
    private readonly endedSessions: EndedSessions,
    private readonly reloads: RequestedReloads,
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  @All()
  receive(@Req() request: HttpRequest, @Res() response: Response): void {
    const { eventsKeys, observer } = this.options;
    if (eventsKeys.length === 0) throw new UnknownAuthAction();
    if (request.method !== 'POST') throw new MethodNotAllowed(['POST']);
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
    const problem = signatureProblem(request.headers['zitadel-signature'], body, eventsKeys);
    const event = problem === undefined ? eventFrom(body) : undefined;
    if (!event) {
      const reason = problem ?? 'The body is not an event in JSON: the target needs the payload type JSON';
      observer.eventReceived?.('refused', undefined, {}, request, new TypeError(reason));
      response.status(400).json({ error: 'invalid_request', error_description: reason });
      return;
    }
    response.status(200).json({});
    this.take(event, request).catch((error: unknown) =>
      this.logger.error(`The effect of an event failed\n${describeError(error)}`),
    );
  }

  /** A repeated event has no further effect. */
  private async take({ id, type, createdAt, effect }: ZitadelEvent, request: HttpRequest): Promise<void> {
    const { observer } = this.options;
    const key = `${EVENT_PREFIX}seen:${hash('sha256', id, 'base64url')}`;
    if (!effect || this.state.get(key) !== undefined) {
      observer.eventReceived?.('nothing', type, {}, request);
      return;
    }
    const stored = this.state.add(key, '1', SIGNATURE_LIFETIME_MS);
    const isNew = await this.apply(effect, createdAt);
    await stored;
    observer.eventReceived?.(isNew ? 'done' : 'nothing', type, effect, request);
  }

  /** Resolves to `false` where the session had ended before. */
  private async apply(effect: EventEffect, createdAt: number): Promise<boolean> {
    if (effect.kind === 'session_ended') return this.endedSessions.revokeSidByEvent(effect.sid);
    if (effect.kind === 'user_ended') await this.endedSessions.revokeUserByEvent(effect.sub, createdAt);
    else if (effect.kind === 'claims_changed') await this.reloads.requestFor(effect.sub, effect.projectId);
    else await this.reloads.requestForAll(effect.projectId);
    return true;
  }
}
