import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';
import { Metrics } from './metrics.js';

/** Makes `Metrics` and `AuditLog` injectable everywhere in the web application. */
@Global()
@Module({ providers: [Metrics, AuditLog], exports: [Metrics, AuditLog] })
export class MetricsModule {}
