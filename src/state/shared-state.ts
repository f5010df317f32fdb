import type { Eventual } from './eventual.js';

/**
 * What all instances of the application must agree on, for as long as it matters. Also the injection token.
 * A store that cannot be reached rejects or throws; whoever asks decides what that means.
 */
export abstract class SharedState {
  /** Whether there is certainly nothing to be found, so that nobody has to look. */
  get isEmpty(): boolean {
    return false;
  }

  abstract get(key: string): Eventual<string | undefined>;
  abstract set(key: string, value: string, ttlMs: number): Eventual<void>;
  /** Sets and says `true`, or says `false` when there is a value: of many that race, one wins. */
  abstract setIfAbsent(key: string, value: string, ttlMs: number): Eventual<boolean>;
  abstract delete(key: string): Eventual<void>;
}
