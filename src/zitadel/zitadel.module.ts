import { Module } from '@nestjs/common';
import { Discovery } from './discovery.js';
import { EndedSessions } from './ended-sessions.js';
import { LiveUserinfo } from './live-userinfo.js';
import { LoggedOutCookie } from './logged-out-cookie.js';
import { LoginOrigin } from './login-origin.js';
import { OidcClient } from './oidc.client.js';
import { Reachability } from './reachability.js';
import { RefreshTokenRevocation } from './refresh-token-revocation.js';
import { SharedRefresh } from './shared-refresh.js';
import { SignInRules } from './sign-in-rules.js';
import { TokenRefresher } from './token-refresher.js';
import { TokenVerifier } from './token-verifier.js';

const providers = [
  Discovery,
  EndedSessions,
  LiveUserinfo,
  LoggedOutCookie,
  LoginOrigin,
  OidcClient,
  Reachability,
  RefreshTokenRevocation,
  SharedRefresh,
  SignInRules,
  TokenRefresher,
  TokenVerifier,
];

/** What the rest of the application knows of Zitadel. */
@Module({ providers, exports: providers })
export class ZitadelModule {}
