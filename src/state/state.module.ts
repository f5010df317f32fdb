import { Global, Module } from '@nestjs/common';
import { Redis } from 'ioredis';
import { ENV, type Env } from '../config/env.js';
import { Metrics } from '../metrics/metrics.js';
import { SharedState, type Link } from './shared-state.js';
import { StateCipher } from './state-cipher.js';

/** Longest wait for an answer of Redis, which is near. */
const TIMEOUT_MS = 500;
const MAX_RECONNECT_MS = 2_000;

/** Two connections, which queue nothing while Redis is away. */
export function linkTo(url: string, cipher: StateCipher): Link {
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    commandTimeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS * 4,
    retryStrategy: (attempt) => Math.min(attempt * 100, MAX_RECONNECT_MS),
  });
  return { redis, subscriber: redis.duplicate(), cipher };
}

function stateOf({ redisUrl, session }: Env, metrics: Metrics): SharedState {
  const cipher = new StateCipher(session.secrets, session.salt);
  const state = new SharedState(redisUrl ? linkTo(redisUrl, cipher) : undefined);
  metrics.gauge('state_shared', 'Whether this instance sees what all others see', () =>
    Number(state.isShared),
  );
  metrics.gauge('state_bytes', 'Memory for what this instance knows of sessions, about', () => state.bytes);
  return state;
}

/** Makes `SharedState` injectable everywhere. */
@Global()
@Module({
  providers: [{ provide: SharedState, inject: [ENV, Metrics], useFactory: stateOf }],
  exports: [SharedState],
})
export class StateModule {}
