import type { Eventual } from './eventual.js';

/**
 * What all instances of the application must agree on, for as long as it matters. Also the injection token.
 * Never fails: where the store cannot be reached, what this instance knows by itself has to do.
 */
export abstract class SharedState {
  /** Whether there is certainly nothing to be found, so that nobody has to look. */
  get isEmpty(): boolean {
    return false;
  }

  /** For how many milliseconds all instances have seen the same; 0 while they do not. */
  get sharedForMs(): number {
    return Infinity;
  }

  /** How long it takes at most until an instance that was alone for a moment has told the others what it did. */
  get settlesInMs(): number {
    return 0;
  }

  /** Asks the store whether all instances see the same now. */
  check(): Eventual<boolean> {
    return true;
  }

  abstract get(key: string): Eventual<string | undefined>;
  abstract set(key: string, value: string, ttlMs: number): Eventual<void>;
  /** Sets and says `true`, or says `false` when there is a value: of many that race, one wins. */
  abstract setIfAbsent(key: string, value: string, ttlMs: number): Eventual<boolean>;

  /** Sets a number unless there is a greater one. It stays known here, and comes back to a store that has lost it. */
  abstract raise(key: string, value: number, ttlMs: number): Eventual<void>;
  /** What `key` was raised to. */
  abstract raised(key: string): Eventual<number | undefined>;
  /** What `key` was raised to, as far as this instance knows without asking. */
  abstract raisedHere(key: string): number | undefined;
}
