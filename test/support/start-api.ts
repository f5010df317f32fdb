import type { INestApplication, LoggerService } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import type { Sandbox } from 'zitadel-sandbox';
import { ApiModule } from '../../src/api/api.module.js';
import { apiAdapter, configureApi } from '../../src/api/api.setup.js';
import { readApiEnv } from '../../src/config/api-env.js';

export interface RunningApi {
  origin: string;
  app: INestApplication;
  /** its log lines as `level message` */
  log: string[];
  /** Sends a GET to the API, with `token` as bearer token if there is one. */
  get(path: string, token?: string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

/** The environment of an API with the sandbox as its Zitadel. */
export const apiEnvironment = ({ issuer, clients, projectId }: Sandbox) => ({
  IDP_AUTHORITY: issuer,
  ZITADEL_API_KEY_FILE: JSON.stringify(clients.api.key),
  IDP_PROJECT_ID: projectId,
});

/** Starts the API on `APP_PORT`, or on a free port. */
export async function startApi(
  env: Record<string, string>,
  controllers: NonNullable<Parameters<typeof Test.createTestingModule>[0]['controllers']> = [],
): Promise<RunningApi> {
  const log: string[] = [];
  const module = await Test.createTestingModule({
    imports: [ApiModule.register(readApiEnv({ NODE_ENV: 'test', ...env }))],
    controllers,
  }).compile();
  const app = module.createNestApplication<NestExpressApplication>(apiAdapter(), {
    bodyParser: false,
    logger: recorder(log),
  });
  configureApi(app);
  await app.listen(Number(env['APP_PORT'] ?? 0), '127.0.0.1');
  const origin = `http://127.0.0.1:${new URL(await app.getUrl()).port}`;
  return {
    origin,
    app,
    log,
    get: (path, token, headers = {}) =>
      fetch(origin + path, {
        headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers },
      }),
    close: () => app.close(),
  };
}

function recorder(log: string[]): LoggerService {
  const record = (level: string) => (message: unknown) => void log.push(`${level} ${String(message)}`);
  return {
    log: record('log'),
    warn: record('warn'),
    error: record('error'),
    fatal: record('fatal'),
    debug: record('debug'),
  };
}
