import type { SignInPolicy } from '@mridang/nestjs-auth';
import { Injectable } from '@nestjs/common';
import { organizationFrom } from '../claims/claims.js';
import { Reachability } from '../client/reachability.js';
import { TokenRevocation } from '../session/token-revocation.js';

/** The id of the provider. */
export const ZITADEL = 'zitadel';

/** Checks that Zitadel is reachable and that the user belongs to the requested organization, and maps errors of Zitadel to reasons. */
@Injectable()
export class SignInRules implements SignInPolicy {
  constructor(
    private readonly reachability: Reachability,
    private readonly revocation: TokenRevocation,
  ) {}

  checkProvider(): Promise<void> {
    return this.reachability.check();
  }

  kept({ organization }: Readonly<Record<string, unknown>>): Record<string, string> {
    return typeof organization === 'string' ? { organization } : {};
  }

  /** Compares with the resource owner: the claims about the requested organization only repeat the request. */
  refusal(profile: Record<string, unknown>, { organization: requested }: Readonly<Record<string, string>>) {
    if (requested === undefined) return undefined;
    const { id, domain } = organizationFrom(profile) ?? {};
    const isMember =
      id === requested || (domain !== undefined && normalized(domain) === normalized(requested));
    return isMember ? undefined : 'organization_mismatch';
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
