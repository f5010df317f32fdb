import { expect, it } from '@jest/globals';
import type { OidcClient } from '../src/client/oidc.client.js';
import type { ChosenOrganizations } from '../src/organizations/chosen-organizations.js';
import type { Reachability } from '../src/client/reachability.js';
import type { EndedSessions } from '../src/session/ended-sessions.js';
import type { TokenRevocation } from '../src/session/token-revocation.js';
import { SignInRules } from '../src/sign-in/sign-in-rules.js';

it('the tokens of a refused sign-in are revoked at Zitadel, except those of another provider', () => {
  const revoked: unknown[] = [];
  const revocation = {
    revoke: ({ refreshToken }: { refreshToken: string }) => Promise.resolve(revoked.push(refreshToken) > 0),
  } as unknown as TokenRevocation;
  const rules = new SignInRules(
    {} as Reachability,
    revocation,
    {} as OidcClient,
    {} as EndedSessions,
    {} as ChosenOrganizations,
  );
  rules.discard({ provider: 'zitadel', refresh_token: 'of Zitadel' });
  rules.discard({ provider: 'partner', refresh_token: 'of a partner' });
  rules.discard({ refresh_token: 'of an exchange with Zitadel' });
  rules.discard({ provider: 'zitadel' });
  expect(revoked).toEqual(['of Zitadel', 'of an exchange with Zitadel']);
});
