import { Inject, Injectable } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import { Discovery } from './discovery.js';
import { IdpUnavailable } from './oidc.errors.js';

/** Who just got no answer gets none a moment later; one that came says nothing about the next. */
const BAD_FOR_MS = 2_000;

/** A person is waiting with an empty page. */
const PATIENCE_MS = 3_000;

/** Whether a browser that is sent to Zitadel finds somebody there. */
@Injectable()
export class Reachability {
  private attempt: Promise<void> | undefined;
  /** until when `attempt` stands for the next ones */
  private standsUntil = 0;

  constructor(
    private readonly discovery: Discovery,
    @Inject(ENV) private readonly env: Env,
  ) {}

  /** Throws `IdpUnavailable` where nobody answers, or 5xx. Any other answer is one, also that there is no such page. */
  check(): Promise<void> {
    if (!this.attempt || Date.now() >= this.standsUntil) this.attempt = this.ask();
    return this.attempt;
  }

  private async ask(): Promise<void> {
    this.standsUntil = Infinity;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<never>((_, reject) => {
      const late = new IdpUnavailable({ cause: new Error('Zitadel did not answer in time') });
      timer = setTimeout(() => reject(late), PATIENCE_MS);
    });
    try {
      await Promise.race([this.discovery.fetch(`${this.env.zitadel.issuer}/debug/healthz`), patience]);
      this.standsUntil = 0;
    } catch (error) {
      this.standsUntil = Date.now() + BAD_FOR_MS;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}
