import { describeError } from '@mridang/nestjs-auth';
import {
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Subscription } from 'rxjs';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { Discovery } from '../client/discovery.js';
import { LoginOrigin } from '../sign-in/login-origin.js';
import { filled, mistakes, type MistakeCode } from './mistakes.js';
import { mistakesIn, SetupProblems } from './setup-problems.js';
import { probeSetup } from './setup-probes.js';
import { TokenRefresher } from '../session/token-refresher.js';

/** Interval of the checks while there is a problem, or after a check that failed. */
const INTERVAL_MS = 60_000;

/** The problem that a refusal of the client shows (`TokenRefresher.clientRefusal`). */
const refusalCodes = { unauthorized_client: 'refresh_grant_off', invalid_client: 'client_refused' } as const;

/**
 * Checks after the start of the server whether Zitadel accepts a sign-in, a refresh and a sign-out of this application, and logs each
 * problem with its cure. Otherwise users would see a JSON error of Zitadel, and the log would have nothing.
 */
@Injectable()
export class SetupCheck extends SetupProblems implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Set-up');
  private found: readonly MistakeCode[] = [];
  private listening: Subscription | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isBackChannelLogged = false;

  constructor(
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
    private readonly discovery: Discovery,
    private readonly host: HttpAdapterHost,
    private readonly loginOrigin: LoginOrigin,
    private readonly refresher: TokenRefresher,
  ) {
    super();
  }

  get codes(): readonly string[] {
    const refused = this.refresher.clientRefusal;
    return [...new Set([...this.found, ...(refused ? [refusalCodes[refused]] : [])])];
  }

  onApplicationBootstrap() {
    if (!this.options.checkAtStart) return;
    this.listening = this.host.listen$.subscribe(() => {
      this.discovery.onMetadata(() => void this.check());
    });
  }

  onApplicationShutdown() {
    this.listening?.unsubscribe();
    clearTimeout(this.timer);
  }

  private async check(): Promise<void> {
    clearTimeout(this.timer);
    this.loginOrigin.expect();
    try {
      const metadata = await this.discovery.metadata();
      const { answers, location } = await probeSetup(this.options, metadata, this.discovery.fetch);
      if (location !== undefined) this.loginOrigin.learn(location);
      this.report(mistakesIn(answers));
      this.reportBackChannel(metadata['backchannel_logout_supported'] === true);
    } catch (error) {
      this.logger.debug(
        `Could not check the configuration in Zitadel: next attempt in ${INTERVAL_MS / 1000} s\n${describeError(error)}`,
      );
      this.scheduleCheck();
    } finally {
      this.loginOrigin.settle();
    }
  }

  private report(codes: readonly MistakeCode[]) {
    const known = this.found;
    for (const code of codes) if (!known.includes(code)) this.logger.error(this.sentenceAbout(code));
    if (codes.length === 0 && known.length > 0)
      this.logger.log('The configuration in Zitadel is correct now');
    this.found = codes;
    if (codes.length > 0) this.scheduleCheck();
  }

  private sentenceAbout(code: MistakeCode): string {
    const { check, setting, cause, cure } = mistakes[code];
    const { redirectUri, postLogoutRedirectUri } = this.options;
    const uri = check === 'redirect-uri' ? redirectUri : postLogoutRedirectUri;
    return `${code}: ${filled(cause, { uri })} (${setting}): ${cure}`;
  }

  /** Up to about v4.3 back-channel logout is a feature of the instance, off by default, and then missing in the metadata. */
  private reportBackChannel(isSupported: boolean) {
    if (isSupported || this.isBackChannelLogged) return;
    this.isBackChannelLogged = true;
    this.logger.warn(
      'Zitadel does not send back-channel logouts, so a sign-out elsewhere does not end sessions here: switch on the feature Back-Channel Logout of the instance',
    );
  }

  private scheduleCheck() {
    this.timer = setTimeout(() => void this.check(), INTERVAL_MS).unref();
  }
}
