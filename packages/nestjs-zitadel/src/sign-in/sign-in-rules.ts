import type { Account } from '@auth/core/types';
import { describeError, SignInFailed, type SessionToken, type SignInPolicy } from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import { claimsIn, loginAgeIn, organizationFrom, sidIn } from '../claims/claims.js';
import { OidcClient } from '../client/oidc.client.js';
import { Reachability } from '../client/reachability.js';
import { factorsIn, isRecentLogin, missingFactor } from '../fresh-sign-in/sign-in-requirements.js';
import { ChosenOrganizations } from '../organizations/chosen-organizations.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { TokenRevocation } from '../session/token-revocation.js';

/** The id of the provider. */
export const ZITADEL = 'zitadel';

/**
 * Fields of a sign-in that its result is compared with: the organization; of a session that has to prove its user again `subject`, the
 * `sub`, `maxAge` in seconds, and `factors`, authentication methods separated by spaces. `activeOrganization` is no condition: the new session takes it over
 * where the browser has lost the old one.
 */
const conditions = ['organization', 'subject', 'factors', 'maxAge', 'activeOrganization'] as const;

type Kept = Readonly<Partial<Record<(typeof conditions)[number], string>>>;

/** What a new session takes over. */
export interface CarriedOver {
  /** when its callback began, seconds since 1970: its claims are read later */
  startedAt?: number;
  /** of the session that it replaces */
  current?: SessionToken | null;
  activeOrganization?: string;
}

type Discarded = { [Name in 'provider' | 'refresh_token' | 'id_token']?: string | undefined };

/** Checks that Zitadel is reachable and that a sign-in meets its conditions, and maps errors of Zitadel to reasons. */
@Injectable()
export class SignInRules implements SignInPolicy {
  private readonly logger = new Logger('Sign-in');

  constructor(
    private readonly reachability: Reachability,
    private readonly revocation: TokenRevocation,
    private readonly oidc: OidcClient,
    private readonly endedSessions: EndedSessions,
    private readonly chosen: ChosenOrganizations,
  ) {}

  checkProvider(): Promise<void> {
    return this.reachability.check();
  }

  kept(given: Readonly<Record<string, unknown>>): Record<string, string> {
    return Object.fromEntries(
      conditions.flatMap((name) => {
        const value = given[name];
        return typeof value === 'string' && value !== '' ? [[name, value]] : [];
      }),
    );
  }

  carriedOver({ activeOrganization }: Kept, current: SessionToken | null): CarriedOver {
    return {
      startedAt: Date.now() / 1000,
      current: current && this.chosen.latest(current),
      ...(activeOrganization === undefined ? {} : { activeOrganization }),
    };
  }

  refusal(profile: Record<string, unknown>, kept: Kept, account: Account) {
    const { subject, factors = '', maxAge, organization } = kept;
    const { id_token: idToken } = account;
    if (subject !== undefined && account.providerAccountId !== subject) return 'user_mismatch';
    if (maxAge !== undefined && !isRecentLogin(loginAgeIn(idToken), Number(maxAge))) return 'login_too_old';
    const { amr } = claimsIn(idToken);
    const needed = { factors: factors.split(' ').filter(Boolean) };
    const missing = missingFactor(needed.factors, amr);
    if (missing !== undefined)
      return new SignInFailed('factor_missing', {
        detail: missing,
        needed,
        held: { factors: factorsIn(amr) },
      });
    return this.organizationRefusal(profile, organization);
  }

  /** Login V2 makes a session beside the one that a new proof was required for, which then is of no use. */
  replaced({ sub, idToken }: SessionToken, { subject }: Kept, account: Account) {
    if (subject !== undefined && sub === subject) this.endUnlessSame(idToken, account.id_token);
  }

  /** Ends the session of one ID token, unless it is that of the other. With Login V1 that would end all sessions of the browser. */
  private endUnlessSame(ended: string | undefined, other: string | undefined) {
    const sid = sidIn(ended);
    if (ended === undefined || sid === undefined || sid === sidIn(other) || sid.startsWith('V1_')) return;
    void this.endAtZitadel(sid, ended);
  }

  private async endAtZitadel(sid: string, idToken: string) {
    try {
      await this.endedSessions.expectLogoutToken(sid);
      await this.oidc.endSession(idToken);
    } catch (error) {
      this.logger.warn(
        `Could not end a session at Zitadel that a new one has replaced: it stays there until it expires\n${describeError(error)}`,
      );
    }
  }

  /** Compares with the resource owner: the claims about the requested organization only repeat the request. */
  private organizationRefusal(profile: Record<string, unknown>, requested: string | undefined) {
    if (requested === undefined) return undefined;
    const { id, domain } = organizationFrom(profile) ?? {};
    const isMember =
      id === requested || (domain !== undefined && normalized(domain) === normalized(requested));
    if (isMember) return undefined;
    const held = { homeOrganization: domain ?? id ?? 'none' };
    return new SignInFailed('organization_mismatch', { needed: { homeOrganization: requested }, held });
  }

  meaning(_error: string, description: string) {
    return meanings.find(([pattern]) => pattern.test(description))?.[1];
  }

  /** A refused proof has left a session of Login V2 beside that of `current`, which no sign-out here would end. */
  discard(
    { provider = ZITADEL, refresh_token: refreshToken, id_token: idToken }: Discarded,
    { subject }: Kept = {},
    current: SessionToken | null = null,
  ) {
    if (provider !== ZITADEL) return;
    if (refreshToken !== undefined) void this.revocation.revoke({ refreshToken });
    if (subject !== undefined && current?.sub === subject) this.endUnlessSame(idToken, current.idToken);
  }
}

/** Failures that a link or a user has caused, by `error_description`: `error` is `invalid_request` for all of them. */
const meanings = [
  [/^Errors\.Org\./, 'organization_unknown'],
  [/^Errors\.User\.NotAllowedOrg/, 'organization_mismatch'],
  [/^Errors\.User\./, 'access_denied'],
] as const;

const normalized = (domain: string) => domain.normalize('NFC').toLowerCase();
