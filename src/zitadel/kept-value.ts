interface KeptValueOptions {
  /** how long the value is taken as it is */
  lifetimeMs: number;
  /** how long nobody tries again after a renewal that failed */
  retryAfterMs: number;
  onRenewalFailed: (error: unknown) => void;
}

/**
 * A value fetched at first need and kept. An old one is renewed behind the back of those who ask, and stays in use when
 * that fails. A first attempt that fails is not remembered.
 */
export class KeptValue<T> {
  private value: { is: T } | undefined;
  private dueAt = 0;
  private flight: Promise<T> | undefined;

  constructor(
    private readonly fetch: () => Promise<T>,
    private readonly options: KeptValueOptions,
  ) {}

  get isRenewing(): boolean {
    return this.flight !== undefined;
  }

  async get(): Promise<T> {
    if (!this.value) return this.renew();
    if (Date.now() >= this.dueAt && !this.isRenewing) {
      this.renew().catch((error: unknown) => {
        this.dueAt = Date.now() + this.options.retryAfterMs;
        this.options.onRenewalFailed(error);
      });
    }
    return this.value.is;
  }

  /** Fetches the value now, once for all who ask meanwhile. */
  renew(): Promise<T> {
    this.flight ??= this.fetch()
      .then((is) => {
        this.value = { is };
        this.dueAt = Date.now() + this.options.lifetimeMs;
        return is;
      })
      .finally(() => (this.flight = undefined));
    return this.flight;
  }
}
