import { hash } from 'node:crypto';
import type { SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { audienceIn } from '../claims/claims.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { EVENT_PREFIX } from '../events/zitadel-event.js';
import { SharedState } from '../state/shared-state.js';
import { sessionIdOf } from './session-token.js';

/** Zitadel may answer userinfo with former roles for up to half a second after a change. A response within this time is not final. */
const SETTLE_SECONDS = 1;

/** A reload of all sessions takes this long: each session has its time within it. */
const SPREAD_SECONDS = 10;

const ALL = `${EVENT_PREFIX}reload:all`;
const ANY_PROJECT = `${EVENT_PREFIX}reload:any-project`;

/** The reloads that events of Zitadel request: of one user at the next request, of all users within ten seconds. */
@Injectable()
export class RequestedReloads {
  private readonly lifetimeMs: number;

  constructor(
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) { session }: ResolvedZitadelOptions,
  ) {
    const { claimsMaxAgeSeconds, maxDurationSeconds } = session;
    // Each session is reloaded at that age anyway.
    const longest = claimsMaxAgeSeconds > 0 ? claimsMaxAgeSeconds : maxDurationSeconds;
    this.lifetimeMs = (2 * SPREAD_SECONDS + Math.min(longest, maxDurationSeconds)) * 1000;
  }

  /** @param projectId only sessions with tokens for that project; without it all */
  async requestFor(sub: string, projectId?: string): Promise<void> {
    await this.add(userKey(sub), Date.now() / 1000, projectId);
  }

  /** One reload of all sessions begins when the one before is complete: many events cause one in ten seconds. */
  async requestForAll(projectId?: string): Promise<void> {
    const now = Date.now() / 1000;
    const latest = Number(this.state.get(inProject(ALL, projectId)) ?? -Infinity);
    if (latest < now) await this.add(ALL, Math.max(now, latest + SPREAD_SECONDS), projectId);
  }

  /** @param readAt when the user of the session was read, seconds since 1970 */
  isDue(token: SessionToken, readAt: number): boolean {
    const { sub = '' } = token;
    return (
      this.timesOf(userKey(sub), token).some((at) => readAt < at + SETTLE_SECONDS) ||
      this.timesOf(ALL, token).some((at) => readAt < at + SETTLE_SECONDS && isTimeOf(token, at))
    );
  }

  /** Whether a reload of this user was requested after that time, seconds since 1970. The clock of another instance may be ahead. */
  isSince(token: SessionToken, time: number): boolean {
    const { sub = '' } = token;
    return this.timesOf(userKey(sub), token).some((at) => at > time && at <= Date.now() / 1000);
  }

  private async add(key: string, at: number, projectId: string | undefined): Promise<void> {
    await this.state.add(inProject(key, projectId), String(at), this.lifetimeMs, at);
    if (projectId !== undefined) await this.state.add(ANY_PROJECT, '1', this.lifetimeMs);
  }

  private timesOf(key: string, token: SessionToken): number[] {
    // Without an event that names a project no ID token is read.
    const projects = this.state.get(ANY_PROJECT) === undefined ? [] : audienceIn(token.idToken);
    return [undefined, ...projects]
      .flatMap((projectId) => this.state.all(inProject(key, projectId)))
      .map(({ value }) => Number(value));
  }
}

/** Whether a session is to be reloaded by now, in the reload of all sessions that began at `at`. */
function isTimeOf(token: SessionToken, at: number): boolean {
  const share = Number.parseInt(hash('sha256', sessionIdOf(token), 'hex').slice(0, 8), 16) / 2 ** 32;
  return Date.now() / 1000 >= at + SETTLE_SECONDS + share * (SPREAD_SECONDS - SETTLE_SECONDS);
}

const inProject = (key: string, projectId: string | undefined) =>
  projectId === undefined ? key : `${key}:${projectId}`;

const userKey = (sub: string) => `${EVENT_PREFIX}reload:user:${sub}`;
