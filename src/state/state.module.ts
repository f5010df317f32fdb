import { Global, Module } from '@nestjs/common';
import { MemoryState } from './memory-state.js';
import { SharedState } from './shared-state.js';

/** Makes `SharedState` injectable everywhere. */
@Global()
@Module({
  providers: [{ provide: SharedState, useFactory: () => new MemoryState() }],
  exports: [SharedState],
})
export class StateModule {}
