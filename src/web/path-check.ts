import { authActions } from '@mridang/nestjs-auth';
import { ConfigError, routesOf } from '@mridang/nestjs-program';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Application } from 'express';
import { ENV, pathProblems, type Env } from '../config/env.js';

/** The routes of Auth.js take every action and answer those of Auth.js alone. */
export const isAuthAction = (path: string) =>
  authActions.includes(/^\/auth\/([^/]+)/i.exec(path)?.[1]?.toLowerCase() ?? '');

/** Refuses to start with a configured path that a route of the application has. Nest has registered them by then. */
@Injectable()
export class PathCheck implements OnModuleInit {
  constructor(
    @Inject(ENV) private readonly env: Env,
    private readonly host: HttpAdapterHost,
  ) {}

  /** @throws `ConfigError` */
  onModuleInit() {
    // An application context has no server.
    const { httpAdapter } = this.host as { httpAdapter?: { getInstance(): Application } };
    if (!httpAdapter) return;
    const problems = pathProblems(this.env, routesOf(httpAdapter.getInstance(), isAuthAction));
    if (problems.length > 0) throw new ConfigError(problems);
  }
}
