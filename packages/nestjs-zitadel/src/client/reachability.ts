import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_CONNECTION, type ZitadelConnection } from '../zitadel.options.js';
import { Discovery } from './discovery.js';
import { IdpBusy, IdpUnavailable } from './oidc.errors.js';

/** So long an answer stands, or that there was none: many people sign in at once. */
const STANDS_MS = 2_000;

/** A person is waiting with an empty page. */
const PATIENCE_MS = 3_000;

/** Whether a browser that is sent to Zitadel finds somebody there. */
@Injectable()
export class Reachability {
  private attempt: Promise<void> | undefined;
  private failedAt = -Infinity;

  constructor(
    private readonly discovery: Discovery,
    @Inject(ZITADEL_CONNECTION) private readonly connection: ZitadelConnection,
  ) {}

  /**
   * Throws `IdpUnavailable` where nobody answers, or 5xx. Any other answer is one, also that there is no such page or that this application asks too often, and so is
   * one that another call has just got.
   */
  async check(): Promise<void> {
    const now = Date.now();
    if (now - this.failedAt < STANDS_MS)
      throw new IdpUnavailable({ cause: new Error('Zitadel did not answer a moment ago') });
    if (now - this.discovery.answeredAt >= STANDS_MS) await this.probe();
  }

  /** As `check`, and takes no answer that was there before. */
  probe(): Promise<void> {
    this.attempt ??= this.ask().finally(() => (this.attempt = undefined));
    return this.attempt;
  }

  private async ask(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      const late = new IdpUnavailable({ cause: new Error('Zitadel did not answer in time') });
      timer = setTimeout(() => reject(late), PATIENCE_MS);
    });
    try {
      await Promise.race([this.discovery.fetch(`${this.connection.issuer}/debug/healthz`), patience]);
    } catch (error) {
      if (error instanceof IdpBusy) return;
      this.failedAt = Date.now();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
