import type { Account } from '@auth/core/types';
import { describeError, SignInFailed, type SessionToken, type SignInPolicy } from '@mridang/nestjs-auth';
import { Injectable, Logger } from '@nestjs/common';
import { claimsIn, organizationFrom, sidIn } from '../claims/claims.js';
import { OidcClient } from '../client/oidc.client.js';
import { Reachability } from '../client/reachability.js';
import { factorsIn, missingFactor } from '../fresh-sign-in/sign-in-requirements.js';
import { EndedSessions } from '../session/ended-sessions.js';
import { TokenRevocation } from '../session/token-revocation.js';

/** The id of the provider. */
export const ZITADEL = 'zitadel';

/**
 * Fields of a sign-in that its result is compared with: the organization; of a session that has to prove its user again `subject`, the
 * `sub`, and `factors`, authentication methods separated by spaces. `activeOrganization` is no condition: the new session takes it over.
 */
const conditions = ['organization', 'subject', 'factors', 'activeOrganization'] as const;

type Kept = Readonly<Partial<Record<(typeof conditions)[number], string>>>;

/** Checks that Zitadel is reachable and that a sign-in meets its conditions, and maps errors of Zitadel to reasons. */
@Injectable()
export class SignInRules implements SignInPolicy {
  private readonly logger = new Logger('Sign-in');

  constructor(
    private readonly reachability: Reachability,
    private readonly revocation: TokenRevocation,
    private readonly oidc: OidcClient,
    private readonly endedSessions: EndedSessions,
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

  refusal(profile: Record<string, unknown>, kept: Kept, account: Account) {
    const { subject, factors = '', organization } = kept;
    if (subject !== undefined && account.providerAccountId !== subject) return 'user_mismatch';
    const { amr } = claimsIn(account.id_token);
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
  replaced({ sub, sid, idToken }: SessionToken, { subject }: Kept, account: Account) {
    const isSameUser = subject !== undefined && sub === subject;
    if (!isSameUser || sid === undefined || idToken === undefined || sid === sidIn(account.id_token)) return;
    void this.endAtZitadel(sid, idToken);
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

  discard({
    provider = ZITADEL,
    refresh_token: refreshToken,
  }: {
    provider?: string;
    refresh_token?: string | undefined;
  }) {
    if (provider === ZITADEL && refreshToken !== undefined) void this.revocation.revoke({ refreshToken });
  }
}

/** Failures that a link or a user has caused, by `error_description`: `error` is `invalid_request` for all of them. */
const meanings = [
  [/^Errors\.Org\./, 'organization_unknown'],
  [/^Errors\.User\.NotAllowedOrg/, 'organization_mismatch'],
  [/^Errors\.User\./, 'access_denied'],
] as const;

const normalized = (domain: string) => domain.normalize('NFC').toLowerCase();
