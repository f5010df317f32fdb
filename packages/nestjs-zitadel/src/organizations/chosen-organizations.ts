import type { SessionToken } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { sessionIdOf } from '../session/session-token.js';
import { SharedState } from '../state/shared-state.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { switched } from './acting.js';

/** A choice always has a later time than the one before, even where the clocks of instances differ. */
const MIN_STEP_SECONDS = 0.001;

/**
 * The latest choice of an organization in each session, for as long as a browser may send a cookie from before it: a response that was
 * under way during the choice may set such a cookie later. A read of a session asks the local copy of the shared state alone.
 */
@Injectable()
export class ChosenOrganizations {
  constructor(
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) private readonly options: Pick<ResolvedZitadelOptions, 'session'>,
  ) {}

  /** Returns the session with its latest choice; the same object where it has that. */
  latest(token: SessionToken): SessionToken {
    const [choice] = this.state.all(keyOf(token));
    return choice && choice.rank > chosenAt(token)
      ? { ...token, organizationId: choice.value, organizationChosenAt: choice.rank }
      : token;
  }

  isSuperseded(token: SessionToken): boolean {
    return this.latest(token) !== token;
  }

  /** Stores the choice in `data`. Returns the session with it; unchanged when the user has no role there. */
  async choose(token: SessionToken, data: unknown): Promise<SessionToken> {
    const latest = this.latest(token);
    const chosen = switched(latest, data);
    if (chosen === latest || chosen.organizationId === undefined) return latest;
    const at = Math.max(Date.now() / 1000, chosenAt(latest) + MIN_STEP_SECONDS);
    const { durationSeconds } = this.options.session;
    await this.state.add(keyOf(token), chosen.organizationId, durationSeconds * 1000, at);
    return { ...chosen, organizationChosenAt: at };
  }
}

const chosenAt = ({ organizationChosenAt = 0 }: SessionToken) => organizationChosenAt;

const keyOf = (token: SessionToken) => `organization:${sessionIdOf(token)}`;
