import { globalPrefix } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import type { Request } from 'express';
import { ConfiguredPaths } from '../http/configured-paths.js';
import { ZITADEL_OPTIONS, type ResolvedZitadelOptions } from '../zitadel.options.js';

/** The largest event recorded has 813 bytes. */
const LIMIT = '64kb';

const PATH = '/auth/zitadel-events';

/**
 * Reads the body of an event as it was sent, because the signature is over its bytes. This comes before the parsers of the application, and
 * after `ConfiguredPaths`, which takes off `mountPath`. A longer body is answered 413, a compressed one 415.
 */
@Injectable()
export class EventBody {
  constructor(
    @Inject(ZITADEL_OPTIONS) { eventsKeys }: ResolvedZitadelOptions,
    application: ApplicationConfig,
    host: HttpAdapterHost,
    _before: ConfiguredPaths,
  ) {
    if (eventsKeys.length === 0) return;
    const isEvent = ({ path }: Request) =>
      path.toLowerCase().replace(/\/$/, '') === (globalPrefix(application, '/auth') + PATH).toLowerCase();
    // An application context has no adapter, a testing module has it later.
    host.init$.subscribe(() => {
      const { httpAdapter } = host as { httpAdapter?: { useBodyParser?(...args: unknown[]): unknown } };
      httpAdapter?.useBodyParser?.('raw', false, { type: isEvent, limit: LIMIT, inflate: false });
    });
  }
}
