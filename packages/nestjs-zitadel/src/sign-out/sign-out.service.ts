import { setTimeout as wait } from 'node:timers/promises';
import {
  describeError,
  SessionService,
  type AuthenticatedRequest,
  type SessionToken,
} from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Response } from 'express';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';
import { SharedState } from '../state/shared-state.js';
import { Discovery } from '../client/discovery.js';
import { LoggedOutCookie } from './logged-out-cookie.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { OidcClient } from '../client/oidc.client.js';
import { Reachability } from '../client/reachability.js';
import { sessionNameOf } from '../session/session-token.js';
import { TokenRevocation } from '../session/token-revocation.js';
import { LogoutStates, type SignOutKind } from './logout-states.js';
import { signedOutPage, signOutFailedPage } from './sign-out-pages.js';

/** How long the same sign-out, sent again, gets the same answer… */
const REPEATED_MS = 60_000;
/** …and how long it waits for it. */
const REPEATED_WAIT_MS = 7_000;
const POLL_MS = 20;

/** How long a sign-out waits for Zitadel to revoke a refresh token. It goes on without the answer. */
const REVOCATION_WAIT_MS = 2_000;

/** Signs out: first here, then at Zitadel. */
@Injectable()
export class SignOut {
  private readonly logger = new Logger('Logout');

  constructor(
    private readonly sessions: SessionService,
    private readonly discovery: Discovery,
    private readonly oidc: OidcClient,
    private readonly reachability: Reachability,
    private readonly revocation: TokenRevocation,
    private readonly endedSessions: EndedSessions,
    private readonly states: LogoutStates,
    private readonly loggedOut: LoggedOutCookie,
    private readonly state: SharedState,
    @Inject(ZITADEL_OPTIONS) private readonly options: ResolvedZitadelOptions,
  ) {}

  /**
   * Ends the session of a request whose CSRF token was verified. Returns where the browser goes next. Of a session that had
   * ended before, the ID token still tells Zitadel which one of its sessions is meant.
   */
  async run(request: AuthenticatedRequest, response: Response): Promise<string> {
    const last = this.sessions.lastToken(request);
    const key = last && `sign-out:${sessionNameOf(last)}`;
    if (key && !(await this.state.acquireLease(key, REPEATED_MS))) {
      const address = await this.addressOf(key);
      if (address !== undefined) return this.repeated(address, request, response);
    }
    const token = await this.sessions.end(request, response);
    this.options.observer.signedOut?.('user', token ? 'done' : 'no_session', token ?? {}, request);
    const address = await this.atZitadel('user', token ?? { idToken: last?.idToken }, request, response);
    if (key) await this.state.add(key, address, REPEATED_MS);
    return address;
  }

  /** Where the same sign-out leads that a double click or another tab has sent before: it may not have finished yet. */
  private async addressOf(key: string): Promise<string | undefined> {
    for (const end = performance.now() + REPEATED_WAIT_MS; performance.now() < end; await wait(POLL_MS)) {
      const address = this.state.get(key);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** The browser may have dropped the first answer, with its cookies. */
  private async repeated(
    address: string,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<string> {
    await this.sessions.end(request, response);
    this.loggedOut.set(response);
    const state = new URL(address, this.options.origin).searchParams.get('state');
    if (state !== null) this.states.keep(state, 'user', response);
    return address;
  }

  /** What is left to do at Zitadel about a session that has ended here. Returns where the browser goes next. */
  async atZitadel(
    kind: SignOutKind,
    token: SessionToken,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<string> {
    this.loggedOut.set(response);
    if (token.sid) await this.endedSessions.noteSignOut(token.sid);
    const isRevoked = await this.revoke(token);
    // A session without an ID token is that of another provider.
    if (token.idToken === undefined) return signedOutPage(this.options, token.sub ? 'here' : 'before');
    try {
      await (isRevoked ? this.reachability.check() : this.reachability.probe());
    } catch {
      return signOutFailedPage(this.options, 'provider_unavailable');
    }
    return this.nextStop(kind, token.idToken, request, response);
  }

  /**
   * The page of Zitadel that asks which session to end, with its way back here; none while that is not known. For people who
   * want it: where nobody is signed in, Login V2 has no way on.
   */
  async choiceAtZitadel(request: AuthenticatedRequest, response: Response): Promise<string | undefined> {
    if (!this.discovery.isKnown) return undefined;
    const url = await this.oidc.endSessionUrl();
    url?.searchParams.set('state', this.states.begin('user', request, response));
    return url?.href;
  }

  private async nextStop(
    kind: SignOutKind,
    idToken: string,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<string> {
    try {
      if (!this.oidc.fitsInAddress(idToken))
        return signedOutPage(this.options, (await this.oidc.endSession(idToken)) ? kind : 'here');
      const url = await this.oidc.endSessionUrl(idToken);
      if (!url) return signedOutPage(this.options, 'here');
      url.searchParams.set('state', this.states.begin(kind, request, response));
      return url.href;
    } catch (error) {
      this.logger.warn(`Signed out here only\n${describeError(error)}`);
      return signOutFailedPage(this.options, 'provider_unavailable');
    }
  }

  /** A refresh token that stays alive is no reason to keep somebody signed in. */
  private async revoke(token: SessionToken): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), REVOCATION_WAIT_MS);
    });
    const isRevoked = await Promise.race([this.revocation.revoke(token), patience]);
    clearTimeout(timer);
    return isRevoked;
  }
}
