interface Options {
  /** how long a value is fresh */
  maxAgeMs: number;
  /** pause after a failed fetch in the background */
  retryAfterMs: number;
  /** how old a value may be while fetches fail */
  maxStaleMs: number;
  onError: (error: unknown) => void;
}

/**
 * A value that is fetched at first use and cached (stale-while-revalidate, RFC 5861 3). A stale value is fetched again in the background
 * and is used meanwhile, also when that fails, up to `maxStaleMs`. Without a usable value callers wait for the fetch, and get its error.
 */
export class StaleWhileRevalidate<T> {
  private cached: { value: T; fetchedAt: number } | undefined;
  private revalidateAt = 0;
  private inFlight: Promise<T> | undefined;

  constructor(
    private readonly fetch: () => Promise<T>,
    private readonly options: Options,
  ) {}

  get isRevalidating(): boolean {
    return this.inFlight !== undefined;
  }

  /** Returns the value without waiting. Fetches a missing or stale one in the background. */
  get current(): T | undefined {
    if (Date.now() >= this.revalidateAt && !this.isRevalidating) {
      this.revalidate().catch((error: unknown) => {
        this.revalidateAt = Date.now() + this.options.retryAfterMs;
        this.options.onError(error);
      });
    }
    return this.usable?.value;
  }

  async get(): Promise<T> {
    return this.usable ? (this.current as T) : this.revalidate();
  }

  /** Fetches the value now: one in-flight request for all callers. */
  revalidate(): Promise<T> {
    this.inFlight ??= this.fetch()
      .then((value) => {
        this.cached = { value, fetchedAt: Date.now() };
        this.revalidateAt = Date.now() + this.options.maxAgeMs;
        return value;
      })
      .finally(() => (this.inFlight = undefined));
    return this.inFlight;
  }

  private get usable() {
    return this.cached && Date.now() - this.cached.fetchedAt <= this.options.maxStaleMs
      ? this.cached
      : undefined;
  }
}
