import type { SignInPolicy } from '@mridang/nestjs-auth';
import { Injectable } from '@nestjs/common';
import { organizationFrom } from '../claims/claims.js';
import { Reachability } from '../client/reachability.js';
import { TokenRevocation } from '../session/token-revocation.js';

/** The id of the provider. */
export const ZITADEL = 'zitadel';

/** What this application asks of a sign-in at Zitadel, and what Zitadel's errors mean for it. */
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

  /** The claims about the organization that was asked for repeat the request; where somebody belongs, the resource owner says. */
  refusal(profile: Record<string, unknown>, { organization: asked }: Readonly<Record<string, string>>) {
    if (asked === undefined) return undefined;
    const { id, domain } = organizationFrom(profile) ?? {};
    const isMember = id === asked || (domain !== undefined && inOneForm(domain) === inOneForm(asked));
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

/** What a link or a person has caused. Zitadel's code is `invalid_request` for all of it. */
const meanings = [
  [/^Errors\.Org\./, 'organization_unknown'],
  [/^Errors\.User\.NotAllowedOrg/, 'organization_mismatch'],
  [/^Errors\.User\./, 'access_denied'],
] as const;

const inOneForm = (domain: string) => domain.normalize('NFC').toLowerCase();
