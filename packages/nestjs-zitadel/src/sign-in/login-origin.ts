import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/**
 * Where Zitadel sends a browser that wants to sign in. Chromium holds a form to the origins its page allows, through all
 * redirects, so pages have to name them; a link is not bound.
 */
@Injectable()
export class LoginOrigin {
  private learned: string | undefined;
  private question: { asked: Promise<void>; end: () => void } | undefined;

  constructor(@Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions) {}

  /** Origins beside the issuer's that a sign-in may pass: those configured, and the one Zitadel has named. */
  get origins(): readonly string[] {
    const { issuer, loginOrigins } = this.options;
    const known = [...loginOrigins, ...(this.learned === undefined ? [] : [this.learned])];
    return [...new Set(known)].filter((origin) => origin !== issuer && origin !== this.options.origin);
  }

  /** Whether somebody is asking Zitadel, and it has not said yet. */
  get isAwaited(): boolean {
    return this.question !== undefined && this.learned === undefined;
  }

  /** Waits while somebody is asking, so long at most. */
  async known(maxMs: number): Promise<void> {
    if (this.isAwaited) await Promise.race([this.question?.asked, wait(maxMs, undefined, { ref: false })]);
  }

  /** To be called by whoever is going to `learn`, and `settle` when it has asked. */
  expect() {
    let end = () => {};
    const asked = new Promise<void>((resolve) => (end = resolve));
    this.question = { asked, end };
  }

  /** Zitadel has been asked, whatever came of it. */
  settle() {
    this.question?.end();
    this.question = undefined;
  }

  /** @param location where Zitadel's authorization endpoint has redirected to */
  learn(location: string) {
    if (!URL.canParse(location, this.options.issuer)) return;
    const { protocol, origin } = new URL(location, this.options.issuer);
    if (protocol === 'https:' || protocol === 'http:') this.learned = origin;
  }
}
