import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, ModuleRef, type NestContainer } from '@nestjs/core';
import { authControllerAt } from './auth.controller.js';
import { AuthEngine } from './auth.engine.js';
import { AuthFilter } from './auth.filter.js';
import { AuthGuard } from './auth.guard.js';
import {
  AuthModuleOptions,
  type AuthModuleAsyncOptions,
  type AuthModuleConfig,
  type AuthOptionsFactory,
  type IAuthModuleOptions,
} from './auth.options.js';
import { CsrfService } from './csrf/csrf.service.js';
import { ResolvedAuthOptions } from './resolved-auth-options.js';
import { RolesGuard } from './roles.guard.js';
import { SignIn } from './sign-in.service.js';
import { SessionService } from './session/session.service.js';
import { LoginTransactions } from './transaction/login-transactions.js';
import { ReturnTargets } from './transaction/return-targets.js';

/** Sign-in with Auth.js for a NestJS application: routes, global guard, roles and sessions. */
@Module({})
export class AuthModule {
  /** Registers the module with options known at import time. */
  static register(options: IAuthModuleOptions, config?: AuthModuleConfig): DynamicModule {
    return assemble([{ provide: AuthModuleOptions, useValue: options }], config);
  }

  /** Registers the module with options that a factory with dependencies makes. */
  static registerAsync(options: AuthModuleAsyncOptions, config?: AuthModuleConfig): DynamicModule {
    return { ...assemble(optionProviders(options), config), imports: options.imports ?? [] };
  }
}

function assemble(options: Provider[], config: AuthModuleConfig = {}): DynamicModule {
  const { globalGuard = true, rolesGuard = true } = config;
  const basePath = `/${(config.basePath ?? 'auth').replace(/^\/+|\/+$/g, '')}`;
  const shared = [
    AuthModuleOptions,
    ResolvedAuthOptions,
    AuthEngine,
    SessionService,
    CsrfService,
    ReturnTargets,
    SignIn,
    RolesGuard,
  ];
  return {
    module: AuthModule,
    global: true,
    controllers: [authControllerAt(basePath)],
    providers: [
      ...options,
      {
        provide: ResolvedAuthOptions,
        inject: [AuthModuleOptions, ModuleRef],
        useFactory: (given: IAuthModuleOptions, moduleRef: ModuleRef) =>
          new ResolvedAuthOptions(given, basePath, () => globalPrefix(moduleRef, basePath)),
      },
      AuthEngine,
      LoginTransactions,
      ReturnTargets,
      SignIn,
      SessionService,
      CsrfService,
      RolesGuard,
      { provide: APP_FILTER, useClass: AuthFilter },
      ...(globalGuard ? [{ provide: APP_GUARD, useClass: AuthGuard() }] : []),
      ...(rolesGuard ? [{ provide: APP_GUARD, useClass: RolesGuard }] : []),
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
export function globalPrefix(moduleRef: ModuleRef, path: string): string {
  // Nest does not inject ApplicationConfig; the module reference has the container with it.
  const { container } = moduleRef as unknown as { container: NestContainer };
  const config = container.applicationConfig;
  const excluded = config?.getGlobalPrefixOptions().exclude ?? [];
  if (excluded.some(({ pathRegex }) => pathRegex.test(`${path}/session`))) return '';
  const prefix = config?.getGlobalPrefix() ?? '';
  return prefix === '' || prefix.startsWith('/') ? prefix : `/${prefix}`;
}
