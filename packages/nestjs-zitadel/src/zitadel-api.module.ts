import { Module, type DynamicModule, type FactoryProvider, type ModuleMetadata } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { BearerGuard } from './bearer/bearer.guard.js';
import { Introspection } from './bearer/introspection.js';
import { Discovery } from './client/discovery.js';
import { Refusals } from './refusals/refusals.js';
import { SetupProblems } from './setup/setup-problems.js';
import {
  resolveApiOptions,
  ZITADEL_API_OPTIONS,
  ZITADEL_CONNECTION,
  type ZitadelApiOptions,
} from './zitadel.options.js';

export interface ZitadelApiModuleAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  inject?: FactoryProvider['inject'];
  useFactory: (...args: never[]) => ZitadelApiOptions | Promise<ZitadelApiOptions>;
}

/** Settings that have to be known before dependencies are injected. */
export interface ZitadelApiModuleConfig {
  /** Guards every route that is not `@Public()`. Default true. */
  globalGuard?: boolean;
}

const services = [Discovery, Introspection, Refusals, { provide: SetupProblems, useExisting: Introspection }];

/** Guards routes with bearer tokens, validated by the introspection endpoint of Zitadel (RFC 7662). */
@Module({})
export class ZitadelApiModule {
  static register(options: ZitadelApiOptions, config?: ZitadelApiModuleConfig): DynamicModule {
    return ZitadelApiModule.registerAsync({ useFactory: () => options }, config);
  }

  static registerAsync(
    { imports = [], inject = [], useFactory }: ZitadelApiModuleAsyncOptions,
    { globalGuard = true }: ZitadelApiModuleConfig = {},
  ): DynamicModule {
    return {
      module: ZitadelApiModule,
      global: true,
      imports,
      providers: [
        {
          provide: ZITADEL_API_OPTIONS,
          inject,
          useFactory: async (...args: never[]) => resolveApiOptions(await useFactory(...args)),
        },
        { provide: ZITADEL_CONNECTION, useExisting: ZITADEL_API_OPTIONS },
        ...services,
        ...(globalGuard ? [{ provide: APP_GUARD, useClass: BearerGuard }] : []),
      ],
      exports: [ZITADEL_API_OPTIONS, ...services],
    };
  }
}
