import { Global, Module } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import { Metrics } from '../metrics/metrics.js';
import { MemoryState } from './memory-state.js';
import { RedisState } from './redis-state.js';
import { SharedState } from './shared-state.js';
import { StateCipher } from './state-cipher.js';

/** Makes `SharedState` injectable everywhere: on Redis where there is one, else in memory. */
@Global()
@Module({
  providers: [
    {
      provide: SharedState,
      inject: [ENV, Metrics],
      useFactory: ({ redisUrl, session }: Env, metrics: Metrics) => {
        const state = redisUrl
          ? new RedisState(redisUrl, new StateCipher(session.secrets, session.salt))
          : new MemoryState();
        metrics.gauge('state_shared', 'Whether this instance sees what all others see', () =>
          state.sharedForMs > 0 ? 1 : 0,
        );
        return state;
      },
    },
  ],
  exports: [SharedState],
})
export class StateModule {}
