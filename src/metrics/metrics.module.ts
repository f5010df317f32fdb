import { Global, Module } from '@nestjs/common';
import { Journal } from './journal.js';
import { Metrics } from './metrics.js';

/** Makes `Metrics` and `Journal` injectable everywhere in the web application. */
@Global()
@Module({ providers: [Metrics, Journal], exports: [Metrics, Journal] })
export class MetricsModule {}
