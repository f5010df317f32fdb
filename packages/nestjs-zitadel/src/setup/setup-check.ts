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
import { scopesFor } from '../claims/claims.js';
import { Discovery } from '../client/discovery.js';
import { LoginOrigin } from '../sign-in/login-origin.js';
import { SetupProblems } from './setup-problems.js';
import { setupMistakes, type SetupMistake } from './setup-mistakes.js';
import { probeSetup } from './setup-probes.js';
import { TokenRefresher } from '../session/token-refresher.js';

/** How soon a set-up that is wrong, or that could not be asked about, is looked at again. */
const AGAIN_MS = 60_000;

/** What a refresh that is refused for the application's sake says of the set-up. */
const refusalCodes = { unauthorized_client: 'refresh_grant_off', invalid_client: 'client_refused' } as const;

/**
 * Asks Zitadel, once this program listens, whether it will accept a sign-in, a renewal and a sign-out of this
 * application, and logs each mistake with its cure: a person would see Zitadel's JSON instead, and the log nothing.
 */
@Injectable()
export class SetupCheck extends SetupProblems implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Set-up');
  private found: readonly SetupMistake[] = [];
  private listening: Subscription | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isSilentAboutBackChannel = false;

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
    const refused = this.refresher.notAllowed;
    return [...new Set([...this.found.map(({ code }) => code), ...(refused ? [refusalCodes[refused]] : [])])];
  }

  onApplicationBootstrap() {
    if (!this.options.checkAtStart) return;
    this.listening = this.host.listen$.subscribe(() => {
      this.discovery.whenRead(() => void this.check());
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
      const { answers, login } = await probeSetup(
        this.options,
        metadata,
        scopesFor(this.options),
        this.discovery.fetch,
      );
      if (login !== undefined) this.loginOrigin.learn(login);
      this.note(setupMistakes(answers));
      this.noteBackChannel(metadata['backchannel_logout_supported'] === true);
    } catch (error) {
      this.logger.debug(
        `The set-up could not be checked; it is tried again in a minute\n${describeError(error)}`,
      );
      this.tryAgain();
    } finally {
      this.loginOrigin.settle();
    }
  }

  private note(mistakes: readonly SetupMistake[]) {
    const known = this.found.map(({ code }) => code);
    for (const { code, cure } of mistakes) if (!known.includes(code)) this.logger.error(`${code}: ${cure}`);
    if (mistakes.length === 0 && known.length > 0) this.logger.log('The set-up in Zitadel is right now');
    this.found = mistakes;
    if (mistakes.length > 0) this.tryAgain();
  }

  /** Up to about v4.3 it is a feature of the instance, off by default, and missing in the metadata. */
  private noteBackChannel(isSupported: boolean) {
    if (isSupported || this.isSilentAboutBackChannel) return;
    this.isSilentAboutBackChannel = true;
    this.logger.warn(
      'This Zitadel does not send back-channel logout, so a sign-out elsewhere does not end sessions here: switch on the feature Back-Channel Logout of the instance',
    );
  }

  private tryAgain() {
    this.timer = setTimeout(() => void this.check(), AGAIN_MS).unref();
  }
}
