import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** From an answer out of memory to the longest wait for Zitadel. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What both programs count and time, in Prometheus's words. No label holds what a stranger can choose. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();

  readonly requestSeconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer a request',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });

  readonly zitadelSeconds = new Histogram({
    name: 'zitadel_request_duration_seconds',
    help: 'Time Zitadel takes to answer a call',
    labelNames: ['endpoint', 'result'] as const,
    buckets: SECONDS,
    registers: [this.registry],
  });

  readonly logins = this.counter('logins_total', 'Sign-ins by success, or why they failed', ['result']);
  readonly refreshes = this.counter('refreshes_total', 'Token refreshes asked of Zitadel', ['result']);
  readonly logouts = this.counter('logouts_total', 'Sign-outs by who asked for them', ['kind', 'result']);
  readonly revocations = this.counter('revocations_total', 'Refresh tokens given back to Zitadel', [
    'result',
  ]);
  readonly sessionsEnded = this.counter('sessions_ended_total', 'Sessions Zitadel put an end to', ['reason']);
  readonly introspections = this.counter('introspections_total', 'Introspections asked of Zitadel', [
    'result',
  ]);
  readonly introspectionCacheHits = this.counter(
    'introspection_cache_hits_total',
    'Tokens whose introspection was known already',
    ['result'],
  );

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A figure that is read when somebody asks. */
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

  /** All of them, as Prometheus reads them. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  private counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]) {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
}
