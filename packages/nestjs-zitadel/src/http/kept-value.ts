interface KeptValueOptions {
  /** how long the value is taken as it is */
  lifetimeMs: number;
  /** how long nobody tries again after a renewal that failed */
  retryAfterMs: number;
  /** how old it may become at most while renewals fail */
  maxStaleMs: number;
  onRenewalFailed: (error: unknown) => void;
}

/**
 * A value fetched at first need and kept. An old one is renewed behind the back of those who ask, and stays in use when
 * that fails, up to an age: then whoever asks waits for the renewal, and fails with it. A first attempt that fails is not remembered.
 */
export class KeptValue<T> {
  private value: { is: T; since: number } | undefined;
  private dueAt = 0;
  private flight: Promise<T> | undefined;

  constructor(
    private readonly fetch: () => Promise<T>,
    private readonly options: KeptValueOptions,
  ) {}

  get isRenewing(): boolean {
    return this.flight !== undefined;
  }

  /** The value, if it is there at this moment. One that is missing or old is fetched behind the back, with a pause after a failure. */
  get current(): T | undefined {
    if (Date.now() >= this.dueAt && !this.isRenewing) {
      this.renew().catch((error: unknown) => {
        this.dueAt = Date.now() + this.options.retryAfterMs;
        this.options.onRenewalFailed(error);
      });
    }
    return this.usable?.is;
  }

  async get(): Promise<T> {
    return this.usable ? (this.current as T) : this.renew();
  }

  private get usable() {
    return this.value && Date.now() - this.value.since <= this.options.maxStaleMs ? this.value : undefined;
  }

  /** Fetches the value now, once for all who ask meanwhile. */
  renew(): Promise<T> {
    this.flight ??= this.fetch()
      .then((is) => {
        this.value = { is, since: Date.now() };
        this.dueAt = Date.now() + this.options.lifetimeMs;
        return is;
      })
      .finally(() => (this.flight = undefined));
    return this.flight;
  }
}
