import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { jsonOf } from '../http/json-of.js';
import { ok, reasonOf, wrong, type Ask, type Check } from './check.js';

const REDIS_TIMEOUT_MS = 3_000;

/** Connects to Redis, and sends PING. */
export async function examineRedis(url: string | undefined): Promise<Check> {
  if (!url) return ok('redis', 'not configured: the state of one instance is in its memory');
  const redis = new Redis(url, {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    connectTimeout: REDIS_TIMEOUT_MS,
    commandTimeout: REDIS_TIMEOUT_MS,
  });
  let reason: unknown;
  redis.on('error', (error) => (reason ??= error));
  try {
    await redis.connect();
    await redis.ping();
    // ioredis uses database 0 where Redis refuses the number.
    return reason === undefined ? ok('redis') : wrong('redis_unreachable', { detail: reasonOf(reason) });
  } catch (error) {
    return wrong('redis_unreachable', { detail: reasonOf(reason ?? error) });
  } finally {
    redis.disconnect();
  }
}

/** @param wanted range of versions, as in `>=20.19` */
export function examineNode(version: string, wanted: string): Check {
  const [major = 0, minor = 0] = numbersIn(wanted);
  const [ownMajor = 0, ownMinor = 0] = numbersIn(version);
  const isNewEnough = ownMajor > major || (ownMajor === major && ownMinor >= minor);
  return isNewEnough ? ok('node', version) : wrong('node_old', { version, wanted });
}

const numbersIn = (version: string) => version.replace(/^\D+/, '').split('.').map(Number);

/** A port of this program. */
export interface Port {
  /** its variable */
  setting: string;
  port: number;
  /** path that only this program answers, and whether an answer is its own */
  own: { path: string; isOwn: (answer: Response) => boolean | Promise<boolean> };
}

export const webPort = (port: number, basePath: string): Port => ({
  setting: 'PORT',
  port,
  own: {
    path: `${basePath}/auth/providers`,
    isOwn: async (answer) => (await jsonOf(answer))?.['zitadel'] !== undefined,
  },
});

export const apiPort = (port: number): Port => ({
  setting: 'APP_PORT',
  port,
  own: {
    path: '/api/v1/app',
    isOwn: ({ status, headers }) => status === 401 && /^Bearer/.test(headers.get('www-authenticate') ?? ''),
  },
});

/** Listens on each port for a moment. A port that this program has already is `ok`. */
export async function examinePorts(ports: readonly Port[], ask: Ask): Promise<Check> {
  const [first, second] = ports;
  if (first && first.port === second?.port) return wrong('ports_same', { port: first.port });
  for (const { setting, port, own } of ports) {
    const error = await listenError(port);
    if (error === undefined || (await isOwnProgram(port, own, ask))) continue;
    const detail = error.code === 'EADDRINUSE' ? 'another program listens there' : reasonOf(error);
    return wrong('port_unusable', { port, detail }, setting);
  }
  return ok('ports');
}

function listenError(port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen(port, () => server.close(() => resolve(undefined)));
  });
}

async function isOwnProgram(port: number, { path, isOwn }: Port['own'], ask: Ask): Promise<boolean> {
  try {
    return await isOwn(await ask(`http://localhost:${port}${path}`));
  } catch {
    return false;
  }
}
