import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_CONNECTION, type ZitadelConnection } from '../zitadel.options.js';
import { Discovery } from './discovery.js';
import { IdpBusy, IdpUnavailable } from './oidc.errors.js';

/** How long a result is cached: many users sign in at the same time. */
const CACHE_MS = 2_000;

/** A user waits for the response meanwhile. */
const TIMEOUT_MS = 3_000;

/** Checks whether Zitadel responds before a browser is redirected to it. */
@Injectable()
export class Reachability {
  private inFlight: Promise<void> | undefined;
  private failedAt = -Infinity;

  constructor(
    private readonly discovery: Discovery,
    @Inject(ZITADEL_CONNECTION) private readonly connection: ZitadelConnection,
  ) {}

  /**
   * Checks whether Zitadel responds. Any status below 500 counts, 404 and 429 included, and so does a response to another request within the
   * last two seconds.
   *
   * @throws `IdpUnavailable`
   */
  async check(): Promise<void> {
    const now = Date.now();
    if (now - this.failedAt < CACHE_MS)
      throw new IdpUnavailable({
        cause: new Error(`Zitadel did not respond within the last ${CACHE_MS / 1000} s`),
      });
    if (now - this.discovery.answeredAt >= CACHE_MS) await this.probe();
  }

  /** As `check`, without the cached results. */
  probe(): Promise<void> {
    this.inFlight ??= this.send().finally(() => (this.inFlight = undefined));
    return this.inFlight;
  }

  private async send(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const error = new IdpUnavailable({
        cause: new Error(`Zitadel did not respond within ${TIMEOUT_MS / 1000} s`),
      });
      timer = setTimeout(() => reject(error), TIMEOUT_MS);
    });
    try {
      await Promise.race([this.discovery.fetch(`${this.connection.issuer}/debug/healthz`), timeout]);
    } catch (error) {
      if (error instanceof IdpBusy) return;
      this.failedAt = Date.now();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
