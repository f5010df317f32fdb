import { AuthModule } from '@mridang/nestjs-auth';
import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common';
import { BearerCredentials } from './authenticate/bearer-credentials.js';
import { Introspection } from './bearer/introspection.js';
import { Discovery } from './client/discovery.js';
import { OidcClient } from './client/oidc.client.js';
import { Reachability } from './client/reachability.js';
import { EventBody } from './events/event-body.js';
import { EventsController } from './events/events.controller.js';
import { ConfiguredPaths } from './http/configured-paths.js';
import { FreshSignInController } from './fresh-sign-in/fresh-sign-in.controller.js';
import { FormReturn } from './http/form-return.js';
import { ChosenOrganizations } from './organizations/chosen-organizations.js';
import { OrganizationController } from './organizations/organization.controller.js';
import { Refusals } from './refusals/refusals.js';
import { ClaimsReload } from './session/claims-reload.js';
import { EndedSessions } from './session/ended-sessions.js';
import { LiveUserinfo } from './session/live-userinfo.js';
import { RequestedReloads } from './session/requested-reloads.js';
import { Resumption } from './session/resumption.js';
import { TokenRefresher } from './session/token-refresher.js';
import { TokenRevocation } from './session/token-revocation.js';
import { UserinfoController } from './session/userinfo.controller.js';
import { SetupCheck } from './setup/setup-check.js';
import { SetupProblems } from './setup/setup-problems.js';
import { authOptions } from './sign-in/auth-options.js';
import { InitiateController } from './sign-in/initiate.controller.js';
import { LoginOrigin } from './sign-in/login-origin.js';
import { SignInRules } from './sign-in/sign-in-rules.js';
import { BackChannelLogoutController } from './sign-out/back-channel-logout.controller.js';
import { LoggedOutCookie } from './sign-out/logged-out-cookie.js';
import { LogoutEverywhereController } from './sign-out/logout-everywhere.controller.js';
import { LogoutStates } from './sign-out/logout-states.js';
import { LogoutController } from './sign-out/logout.controller.js';
import { SignOut } from './sign-out/sign-out.service.js';
import { RedisLink } from './state/redis-link.js';
import { SharedState } from './state/shared-state.js';
import { TokenVerifier } from './tokens/token-verifier.js';
import {
  resolveOptions,
  ZITADEL_CONNECTION,
  ZITADEL_OPTIONS,
  type ResolvedZitadelOptions,
  type ZitadelOptions,
} from './zitadel.options.js';

export interface ZitadelModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  inject?: FactoryProvider['inject'];
  useFactory: (...args: never[]) => ZitadelOptions | Promise<ZitadelOptions>;
}

const authServices = [
  Discovery,
  TokenVerifier,
  TokenRefresher,
  ClaimsReload,
  EndedSessions,
  TokenRevocation,
  LoggedOutCookie,
  SignInRules,
  Resumption,
  ChosenOrganizations,
  BearerCredentials,
  Refusals,
] as const;

const services = [
  ...authServices,
  FormReturn,
  LiveUserinfo,
  RequestedReloads,
  LoginOrigin,
  LogoutStates,
  OidcClient,
  Reachability,
  SetupCheck,
  {
    provide: SetupProblems,
    inject: [SetupCheck, Introspection],
    // Not the check itself: Nest would call its lifecycle hooks once for each of both tokens.
    useFactory: (check: SetupCheck, introspection: Introspection | undefined): SetupProblems => ({
      get codes() {
        return [...check.codes, ...(introspection?.codes ?? [])];
      },
    }),
  },
  {
    provide: Introspection,
    inject: [ZITADEL_OPTIONS, Discovery],
    useFactory: ({ bearer }: ResolvedZitadelOptions, discovery: Discovery) =>
      bearer && new Introspection(bearer, discovery),
  },
  SignOut,
  {
    provide: SharedState,
    inject: [ZITADEL_OPTIONS],
    useFactory: ({ redisUrl, secrets, salt }: ResolvedZitadelOptions) =>
      new SharedState(redisUrl ? new RedisLink(redisUrl, secrets, salt) : undefined),
  },
];

@Module({})
class ZitadelServicesModule {}

/**
 * Sign-in with Zitadel: `AuthModule` with Zitadel as its provider, token refresh, sign-out here and at Zitadel, back-channel logout, events. Global:
 * its services can be injected everywhere. Its routes are below `/auth`, see the README.
 */
@Module({})
export class ZitadelModule {
  static register(options: ZitadelOptions): DynamicModule {
    return ZitadelModule.registerAsync({ useFactory: () => options });
  }

  static registerAsync({ imports = [], inject = [], useFactory }: ZitadelModuleAsyncOptions): DynamicModule {
    const servicesModule: DynamicModule = {
      module: ZitadelServicesModule,
      global: true,
      imports,
      providers: [
        {
          provide: ZITADEL_OPTIONS,
          inject,
          useFactory: async (...args: never[]) => resolveOptions(await useFactory(...args)),
        },
        { provide: ZITADEL_CONNECTION, useExisting: ZITADEL_OPTIONS },
        ...services,
      ],
      exports: [ZITADEL_OPTIONS, ...services],
    };
    return {
      module: ZitadelModule,
      imports: [
        servicesModule,
        AuthModule.registerAsync({
          imports: [servicesModule],
          inject: [ZITADEL_OPTIONS, ...authServices],
          useFactory: authOptions,
        }),
      ],
      controllers: [
        InitiateController,
        LogoutController,
        LogoutEverywhereController,
        BackChannelLogoutController,
        EventsController,
        UserinfoController,
        OrganizationController,
        FreshSignInController,
      ],
      providers: [ConfiguredPaths, EventBody],
    };
  }
}
