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
import { sessionIdOf } from '../session/session-token.js';
import { TokenRevocation } from '../session/token-revocation.js';
import { LogoutStates, type SignOutKind } from './logout-states.js';
import { signedOutPage, signOutFailedPage } from './sign-out-pages.js';

/** How long a repeated sign-out of the same session gets the result of the first… */
const REPEATED_MS = 60_000;
/** …and how long it waits for that result. */
const REPEATED_WAIT_MS = 7_000;
const POLL_MS = 20;

/** How long a sign-out waits for the revocation of the refresh token, which goes on in the background. */
const REVOCATION_WAIT_MS = 2_000;

/** Ends a session here first, then at Zitadel. */
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
   * Ends the session of a request whose CSRF token was verified. Resolves to the redirect target. The ID token of a session that had ended
   * before still identifies the session at Zitadel.
   */
  async run(request: AuthenticatedRequest, response: Response): Promise<string> {
    const last = this.sessions.lastToken(request);
    const key = last && `sign-out:${sessionIdOf(last)}`;
    if (key && !(await this.state.acquireLease(key, REPEATED_MS))) {
      const address = await this.firstResult(key);
      if (address !== undefined) return this.repeat(address, request, response);
    }
    const token = await this.sessions.end(request, response);
    this.options.observer.signedOut?.('user', token ? 'done' : 'no_session', token ?? {}, request);
    const address = await this.finishAtZitadel(
      'user',
      token ?? { idToken: last?.idToken },
      request,
      response,
    );
    if (key) await this.state.add(key, address, REPEATED_MS);
    return address;
  }

  /** Waits for the redirect target of the same sign-out, which a double click or another tab has sent before. */
  private async firstResult(key: string): Promise<string | undefined> {
    for (const end = performance.now() + REPEATED_WAIT_MS; performance.now() < end; await wait(POLL_MS)) {
      const address = this.state.get(key);
      if (address !== undefined) return address;
    }
    return undefined;
  }

  /** Sets all cookies again: the browser may have discarded the first response. */
  private async repeat(address: string, request: AuthenticatedRequest, response: Response): Promise<string> {
    await this.sessions.end(request, response);
    this.loggedOut.set(response);
    const state = new URL(address, this.options.origin).searchParams.get('state');
    if (state !== null) this.states.store(state, 'user', response);
    return address;
  }

  /** Revokes the refresh token of a session that has ended here. Resolves to the redirect target, which ends the session at Zitadel. */
  async finishAtZitadel(
    kind: SignOutKind,
    token: SessionToken,
    request: AuthenticatedRequest,
    response: Response,
  ): Promise<string> {
    this.loggedOut.set(response);
    if (token.sid) await this.endedSessions.expectLogoutToken(token.sid);
    const isRevoked = await this.revokeToken(token);
    // A session without an ID token is one of another provider.
    if (token.idToken === undefined) return signedOutPage(this.options, token.sub ? 'here' : 'before');
    try {
      await (isRevoked ? this.reachability.check() : this.reachability.probe());
    } catch {
      return signOutFailedPage(this.options, 'provider_unavailable');
    }
    return this.endSessionTarget(kind, token.idToken, request, response);
  }

  /**
   * Resolves to the end-session URL without an ID token, where Zitadel asks which session to end; `undefined` while the metadata are unknown.
   * Only for a link: Login V2 does not redirect back where nobody is signed in.
   */
  async choiceAtZitadel(request: AuthenticatedRequest, response: Response): Promise<string | undefined> {
    if (!this.discovery.isKnown) return undefined;
    const url = await this.oidc.endSessionUrl();
    url?.searchParams.set('state', this.states.begin('user', request, response));
    return url?.href;
  }

  private async endSessionTarget(
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
      this.logger.warn(
        `Could not end the session at Zitadel: the user is signed out here only\n${describeError(error)}`,
      );
      return signOutFailedPage(this.options, 'provider_unavailable');
    }
  }

  /** Resolves to `false` after a failure or a timeout: the sign-out continues, and the revocation is tried again. */
  private async revokeToken(token: SessionToken): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), REVOCATION_WAIT_MS);
    });
    const isRevoked = await Promise.race([this.revocation.revoke(token), timeout]);
    clearTimeout(timer);
    return isRevoked;
  }
}
