import { Global, Module } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
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
      inject: [ENV],
      useFactory: ({ redisUrl, session }: Env) =>
        redisUrl
          ? new RedisState(redisUrl, new StateCipher(session.secrets, session.salt))
          : new MemoryState(),
    },
  ],
  exports: [SharedState],
})
export class StateModule {}
