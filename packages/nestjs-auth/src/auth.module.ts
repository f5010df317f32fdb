import {
  Inject,
  Module,
  type CanActivate,
  type DynamicModule,
  type NestModule,
  type Provider,
} from '@nestjs/common';
import { APP_GUARD, ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { authControllerAt } from './auth.controller.js';
import { AuthEngine } from './auth.engine.js';
import { AuthFilter } from './failures/auth.filter.js';
import { SessionGuard } from './guards/auth.guard.js';
import {
  AuthModuleOptions,
  type AuthModuleAsyncOptions,
  type AuthModuleConfig,
  type AuthOptionsFactory,
  type IAuthModuleOptions,
} from './auth.options.js';
import { CsrfService } from './csrf/csrf.service.js';
import { isMountPath } from './http/local-path.js';
import { MessageGuards } from './guards/message-guards.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { RolesGuard } from './guards/roles.guard.js';
import { SignIn } from './sign-in.service.js';
import { SessionService } from './session/session.service.js';
import { LoginTransactions } from './transaction/login-transactions.js';
import { ReturnTargets } from './transaction/return-targets.js';

/** What the constructor needs, in place of which `register()` provides its own. */
const unregistered = [SessionGuard, RolesGuard, AuthFilter, MessageGuards].map((provide) => ({
  provide,
  useFactory: () => {
    throw new Error(
      'AuthModule: it was imported without options. Import `AuthModule.register({ … })` in one module alone: it is global',
    );
  },
}));

/** Sign-in with Auth.js for a NestJS application: routes, global guard, roles and sessions. */
@Module({ providers: unregistered })
export class AuthModule implements NestModule {
  /** @throws where the module is registered more than once */
  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly application: ApplicationConfig,
    @Inject(AuthFilter) private readonly filter: AuthFilter,
    @Inject(SessionGuard) private readonly sessionGuard: SessionGuard,
    @Inject(RolesGuard) private readonly rolesGuard: RolesGuard,
    @Inject(MessageGuards) messageGuards: MessageGuards,
  ) {
    if ([...modules.values()].filter(({ metatype }) => metatype === AuthModule).length > 1)
      throw new Error(
        'AuthModule: it is registered more than once. Register it in one module alone: it is global, and there is one session',
      );
    messageGuards.attach();
  }

  /**
   * Nest calls this after `main.ts` has added filters and guards, and before it registers routes: so the order of imports decides
   * nothing. Of several global filters the last one is asked first. Any global guard of the application may set a user with roles, and
   * reads the session if it stands after this module: who is refused is decided last. The routes of the last module leave every address to
   * those of the others.
   */
  configure() {
    this.application.useGlobalFilters(this.filter);
    const guards = this.application.getGlobalGuards();
    const own = [this.sessionGuard, this.rolesGuard].filter((guard) => guards.includes(guard));
    const before = guards.flatMap((guard) => {
      if (guard === this.sessionGuard) return sessionReader(this.sessionGuard);
      return guard === this.rolesGuard ? [] : guard;
    });
    if (guards.length > own.length) guards.splice(0, guards.length, ...before, ...own);
    for (const [token, module] of [...this.modules]) {
      if (module.instance !== this) continue;
      this.modules.delete(token);
      this.modules.set(token, module);
    }
  }

  /** Registers the module with options known at import time. */
  static register(options: IAuthModuleOptions, config?: AuthModuleConfig): DynamicModule {
    return assemble([{ provide: AuthModuleOptions, useValue: options }], config);
  }

  /** Registers the module with options that a factory with dependencies makes. */
  static registerAsync(options: AuthModuleAsyncOptions, config?: AuthModuleConfig): DynamicModule {
    return { ...assemble(optionProviders(options), config), imports: options.imports ?? [] };
  }
}

/** Reads the session for the guards after it. */
const sessionReader = (guard: SessionGuard): CanActivate => ({
  canActivate: async (context) => {
    await guard.attach(context);
    return true;
  },
});

function assemble(options: Provider[], config: AuthModuleConfig = {}): DynamicModule {
  const { globalGuard = true, rolesGuard = true } = config;
  const basePath = checkedBasePath(config.basePath ?? '/auth');
  const shared = [
    AuthModuleOptions,
    ResolvedAuthOptions,
    AuthEngine,
    SessionService,
    CsrfService,
    ReturnTargets,
    SignIn,
    SessionGuard,
    RolesGuard,
    AuthFilter,
  ];
  return {
    module: AuthModule,
    global: true,
    controllers: [authControllerAt(basePath)],
    providers: [
      ...options,
      {
        provide: ResolvedAuthOptions,
        inject: [AuthModuleOptions, ApplicationConfig],
        useFactory: (given: IAuthModuleOptions, application: ApplicationConfig) =>
          new ResolvedAuthOptions(given, basePath, () => globalPrefix(application, basePath)),
      },
      AuthEngine,
      LoginTransactions,
      ReturnTargets,
      SignIn,
      SessionService,
      CsrfService,
      RolesGuard,
      SessionGuard,
      AuthFilter,
      {
        provide: MessageGuards,
        inject: [ModulesContainer, SessionGuard, RolesGuard],
        useFactory: (modules: ModulesContainer, session: SessionGuard, roles: RolesGuard) =>
          new MessageGuards(modules, { session, roles }, { globalGuard, rolesGuard }),
      },
      ...(globalGuard ? [{ provide: APP_GUARD, useExisting: SessionGuard }] : []),
      ...(rolesGuard ? [{ provide: APP_GUARD, useExisting: RolesGuard }] : []),
    ],
    exports: shared,
  };
}

function optionProviders(options: AuthModuleAsyncOptions): Provider[] {
  if (options.useFactory) {
    return [{ provide: AuthModuleOptions, useFactory: options.useFactory, inject: options.inject ?? [] }];
  }
  const factory = options.useExisting ?? options.useClass;
  if (!factory) throw new Error('AuthModule.registerAsync() needs useFactory, useClass or useExisting');
  const fromFactory: Provider = {
    provide: AuthModuleOptions,
    inject: [factory],
    useFactory: (made: AuthOptionsFactory) => made.createAuthOptions(),
  };
  return options.useClass ? [options.useClass, fromFactory] : [fromFactory];
}

/**
 * Returns the prefix of `app.setGlobalPrefix()` as `/prefix`, or an empty string where there is none or `path` is excluded from it. A
 * program sets it after the modules were created, so this must be called while a request is handled.
 */
export function globalPrefix(application: ApplicationConfig, path: string): string {
  const excluded = application.getGlobalPrefixOptions().exclude ?? [];
  if (excluded.some(({ pathRegex }) => pathRegex.test(`${path}/session`))) return '';
  const prefix = application.getGlobalPrefix();
  return prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`;
}

/** @throws unless it is a path such as `/auth`: at `/`, the routes of this module would take every address of the application */
function checkedBasePath(given: unknown): string {
  const path = `/${String(given).replace(/^\/+|\/+$/g, '')}`;
  if (typeof given !== 'string' || path === '/' || !isMountPath(path))
    throw new Error(
      'AuthModule: `basePath` must be a path such as `/auth`, and not the root of the application',
    );
  return path;
}
