import type { SessionEnded, SignInFailed } from '@mridang/nestjs-auth';
import type {
  BackChannelLogoutResult,
  EventResult,
  RefreshResult,
  SessionOwner,
  SignOutResult,
  ZitadelEndpoint,
  ZitadelObserver,
} from '@mridang/nestjs-zitadel';
import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** Buckets from an answer from memory to the longest wait for Zitadel. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** Prometheus metrics of both programs. No label has a value that a client can choose. */
@Injectable()
export class Metrics implements ZitadelObserver {
  private readonly registry = new Registry();

  readonly requestSeconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });

  private readonly zitadelSeconds = new Histogram({
    name: 'zitadel_request_duration_seconds',
    help: 'Time Zitadel takes to answer a call',
    labelNames: ['endpoint', 'result'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });

  private readonly logins = this.counter('logins_total', 'Sign-ins by success, or why they failed', [
    'result',
  ]);
  private readonly refreshes = this.counter('refreshes_total', 'Token refreshes asked of Zitadel', [
    'result',
  ]);
  private readonly logouts = this.counter('logouts_total', 'Sign-outs by who asked for them', [
    'kind',
    'result',
  ]);
  private readonly events = this.counter('zitadel_events_total', 'Events of Zitadel by what came of them', [
    'result',
  ]);
  private readonly revocations = this.counter('revocations_total', 'Refresh tokens given back to Zitadel', [
    'result',
  ]);
  private readonly sessionsEnded = this.counter('sessions_ended_total', 'Sessions Zitadel put an end to', [
    'reason',
  ]);
  private readonly introspections = this.counter('introspections_total', 'Introspections asked of Zitadel', [
    'result',
  ]);
  private readonly introspectionCacheHits = this.counter(
    'introspection_cache_hits_total',
    'Tokens whose introspection was known already',
    ['result'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  signedIn() {
    this.logins.inc({ result: 'success' });
  }

  signInFailed({ reason }: SignInFailed) {
    this.logins.inc({ result: reason });
  }

  refreshed(result: RefreshResult) {
    this.refreshes.inc({ result });
  }

  sessionEnded(_owner: SessionOwner, { reason }: SessionEnded) {
    this.sessionsEnded.inc({ reason });
  }

  signedOut(kind: 'user' | 'everywhere', result: SignOutResult) {
    this.logouts.inc({ kind, result });
  }

  backChannelLogout(result: BackChannelLogoutResult) {
    this.logouts.inc({ kind: 'back-channel', result });
  }

  eventReceived(result: EventResult) {
    this.events.inc({ result });
  }

  refreshTokenRevoked(result: 'done' | 'failed') {
    this.revocations.inc({ result });
  }

  requested(endpoint: ZitadelEndpoint, result: 'ok' | 'refused' | 'unavailable', seconds: number) {
    this.zitadelSeconds.observe({ endpoint, result }, seconds);
  }

  introspected(result: 'active' | 'inactive' | 'unavailable') {
    this.introspections.inc({ result });
  }

  introspectionCached(result: 'active' | 'inactive') {
    this.introspectionCacheHits.inc({ result });
  }

  /** @param value is called when the metrics are read */
  gauge(name: string, help: string, value: () => number) {
    new Gauge({
      name,
      help,
      registers: [this.registry],
      collect() {
        this.set(value());
      },
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics in Prometheus's text format. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
