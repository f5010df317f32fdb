import { setTimeout as wait } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/**
 * Learns the origin of Zitadel's login page, which may differ from the issuer. Chromium applies `form-action` of a page to every redirect
 * after a form, so the Content Security Policy has to allow that origin; a link is not restricted.
 */
@Injectable()
export class LoginOrigin {
  /** Origins that a sign-in may pass, apart from the issuer: the configured ones, and the learned one. */
  origins: readonly string[];
  private learned: string | undefined;
  private probe: { done: Promise<void>; resolve: () => void } | undefined;

  constructor(@Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions) {
    this.origins = this.others(options.loginOrigins);
  }

  /** Whether the origin is unknown, and a request that will show it is in flight. */
  get isAwaited(): boolean {
    return this.probe !== undefined && this.learned === undefined;
  }

  /** Waits for the request in flight, at most `maxMs`. */
  async known(maxMs: number): Promise<void> {
    if (this.isAwaited) await Promise.race([this.probe?.done, wait(maxMs, undefined, { ref: false })]);
  }

  /** Must be called before the request that will show the origin, and `settle` after it. */
  expect() {
    let resolve = () => {};
    const done = new Promise<void>((resolvePromise) => (resolve = resolvePromise));
    this.probe = { done, resolve };
  }

  /** The request has ended, with or without a result. */
  settle() {
    this.probe?.resolve();
    this.probe = undefined;
  }

  /** @param location redirect target of the authorization endpoint */
  learn(location: string) {
    if (!URL.canParse(location, this.options.issuer)) return;
    const { protocol, origin } = new URL(location, this.options.issuer);
    if ((protocol !== 'https:' && protocol !== 'http:') || origin === this.learned) return;
    this.learned = origin;
    this.origins = this.others([...this.options.loginOrigins, origin]);
  }

  private others(origins: readonly string[]): readonly string[] {
    const { issuer, origin: own } = this.options;
    return [...new Set(origins)].filter((origin) => origin !== issuer && origin !== own);
  }
}
