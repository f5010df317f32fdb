import { Module } from '@nestjs/common';
import { ENV, type Env } from '../config/env.js';
import { RedisLink } from '../state/redis-link.js';
import { SharedState } from '../state/shared-state.js';
import { ClaimsReload } from './claims-reload.js';
import { Discovery } from './discovery.js';
import { EndedSessions } from './ended-sessions.js';
import { LiveUserinfo } from './live-userinfo.js';
import { LoggedOutCookie } from './logged-out-cookie.js';
import { LoginOrigin } from './login-origin.js';
import { OidcClient } from './oidc.client.js';
import { Reachability } from './reachability.js';
import { Resumption } from './resumption.js';
import { SetupCheck } from './setup-check.js';
import { SetupProblems } from './setup-problems.js';
import { SignInRules } from './sign-in-rules.js';
import { TokenRefresher } from './token-refresher.js';
import { TokenRevocation } from './token-revocation.js';
import { TokenVerifier } from './token-verifier.js';

function createState({ redisUrl, session }: Env): SharedState {
  return new SharedState(redisUrl ? new RedisLink(redisUrl, session.secrets, session.salt) : undefined);
}

const providers = [
  ClaimsReload,
  Discovery,
  EndedSessions,
  LiveUserinfo,
  LoggedOutCookie,
  LoginOrigin,
  OidcClient,
  Reachability,
  Resumption,
  SetupCheck,
  { provide: SetupProblems, useExisting: SetupCheck },
  { provide: SharedState, inject: [ENV], useFactory: createState },
  SignInRules,
  TokenRefresher,
  TokenRevocation,
  TokenVerifier,
];

/** What the rest of the application knows of Zitadel. */
@Module({ providers, exports: providers })
export class ZitadelModule {}
