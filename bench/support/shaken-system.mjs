// Two instances of the application, a Redis, and a Zitadel (the sandbox), each of which can be stopped.
import { Redis } from 'ioredis';
import { openGate } from './gate.mjs';
import { startCommand, startProgram } from './programs.mjs';
import { freePort, startServer } from './servers.mjs';

/** Longer than an instance needs to finish its requests. */
const PATIENCE_MS = 15_000;
const POLL_MS = 25;

const TOKEN = '/oauth/v2/token';
const USERINFO = '/oidc/v1/userinfo';
const INTROSPECTION = '/oauth/v2/introspect';

/**
 * @param {object} options
 * @param {string[]} options.loginNames
 * @param {number} options.tokenSeconds lifetime of access tokens
 * @param {string} options.logLevel
 * @param {(line: string) => void} options.onLog receives each log line of the instances
 */
export async function startShakenSystem({ loginNames, tokenSeconds, logLevel, onLog }) {
  const [port, redisPort, sandboxPort, ...ports] = await Promise.all(Array.from({ length: 5 }, freePort));
  const origin = `http://localhost:${port}`;
  const origins = ports.map((own) => `http://localhost:${own}`);

  const sandbox = startProgram('bench/support/sandbox.program.mjs', { core: 'load' });
  const handedOut = new Tokens((token) => sandbox.call('ownerOf', token));
  let renewals = 0;
  const gate = await openGate(sandboxPort, {
    onToken: (kind, token) => handedOut.add(kind, token),
    onRefresh: () => renewals++,
  });
  const issuer = `http://localhost:${gate.port}`;
  const { clientId, clientSecret } = await sandbox.call('start', {
    port: sandboxPort,
    issuer,
    users: loginNames.map((loginName) => ({ loginName })),
    accessTokenTtlSeconds: tokenSeconds,
    // Zitadel also accepts a second use within milliseconds.
    refreshReuseMs: 50,
    web: {
      redirectUris: [`${origin}/auth/callback`],
      postLogoutRedirectUris: [`${origin}/auth/logout/callback`],
      backChannelLogoutUri: `${origins[0]}/auth/backchannel-logout`,
    },
  });

  const redisWords = `--port ${redisPort} --bind 127.0.0.1 --save  --appendonly no`.split(' ');
  const startRedis = async () => {
    const program = startCommand('redis-server', redisWords, { core: 'load' });
    // Waits until Redis accepts connections.
    const client = new Redis(redisPort, '127.0.0.1', {
      retryStrategy: () => POLL_MS,
      maxRetriesPerRequest: null,
    });
    await client.on('error', () => undefined).ping();
    client.disconnect();
    return program;
  };
  let redis = await startRedis();

  const eventsKey = 'a signing key of events that is long enough';
  let secrets = 'the 1st secret of a soak that is long enough';
  const start = (index) =>
    startServer('dist/main.js', {
      origin: origins[index],
      onLine: onLog,
      env: {
        NODE_ENV: 'production',
        LOG_LEVEL: logLevel,
        PORT: String(ports[index]),
        SESSION_SECRET: secrets,
        SESSION_SALT: 'a salt for the soak',
        ZITADEL_DOMAIN: issuer,
        ZITADEL_CLIENT_ID: clientId,
        ZITADEL_CLIENT_SECRET: clientSecret ?? '',
        ZITADEL_CALLBACK_URL: `${origin}/auth/callback`,
        AUTH_RATE_LIMIT: '0',
        ZITADEL_EVENTS_KEY: eventsKey,
        REDIS_URL: `redis://127.0.0.1:${redisPort}`,
      },
    });
  const programs = await Promise.all(origins.map((_, index) => start(index)));

  const instances = {
    async kill(index) {
      programs[index]?.signal('SIGKILL');
      handedOut.killedAt.push(Date.now());
    },
    async start(index) {
      programs[index] = await start(index);
    },
    async restartAll() {
      for (const index of origins.keys()) {
        await programs[index]?.stop(PATIENCE_MS);
        await instances.start(index);
      }
    },
    rssMiB: () => programs.map((program) => program.rssMiB()),
  };
  return {
    /** the public address in front of the instances */
    origin,
    /** the addresses of the instances */
    origins,
    issuer,
    eventsKey,
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    instances,
    handedOut,
    renewals: () => renewals,
    /** @param {string} list as in `SESSION_SECRET`; used from the next start on */
    useSecrets: (list) => (secrets = list),
    redis: {
      freeze: () => redis.signal('SIGSTOP'),
      thaw: () => redis.signal('SIGCONT'),
      stop: () => redis.stop(),
      start: async () => (redis = await startRedis()),
      async empty() {
        const client = new Redis(redisPort, '127.0.0.1');
        await client.flushall();
        client.disconnect();
      },
    },
    zitadel: {
      shut: gate.shut,
      open: gate.open,
      freeze: () => sandbox.signal('SIGSTOP'),
      thaw: () => sandbox.signal('SIGCONT'),
      /** Introspection and userinfo refuse valid tokens. */
      refuseTokens: (isSo) =>
        Promise.all(
          [USERINFO, INTROSPECTION].map((path) => sandbox.call('refuseTokens', path, ...(isSo ? [] : [0]))),
        ),
      failTokens: (isSo) => sandbox.call('fail', TOKEN, isSo ? 500 : null),
      /** The token endpoint rotates the refresh token and drops the response. */
      dropTokens: (isSo) => sandbox.call('drop', TOKEN, ...(isSo ? [] : [0])),
    },
    async stop() {
      await Promise.all([...programs, redis, sandbox].map((program) => program.stop()));
      gate.shut();
    },
  };
}

/** Tokens received by an instance this long before its death may not have been shared. */
const DIED_WITH_MS = 1_000;

/** The tokens that Zitadel issued to an instance. */
class Tokens {
  /** all tokens of every kind */
  all = new Set();
  /** milliseconds since 1970 */
  killedAt = [];
  /** the tokens by login name, the newest last */
  refreshTokens = new Map();

  /** @param {(token: string) => Promise<{ loginName: string, grantId: string } | undefined>} ownerOf defined while the token is valid */
  constructor(ownerOf) {
    this.ownerOf = ownerOf;
  }

  async add(kind, token) {
    const at = Date.now();
    this.all.add(token);
    if (kind !== 'refresh_token') return;
    const owner = await this.ownerOf(token).catch(() => undefined);
    if (!owner) return;
    const list = this.refreshTokens.get(owner.loginName) ?? [];
    this.refreshTokens.set(owner.loginName, [...list, { token, at, grantId: owner.grantId }]);
  }

  /** The session at Zitadel of the newest token of a user. */
  grantOf(loginName) {
    return this.refreshTokens.get(loginName)?.at(-1)?.grantId;
  }

  /** Whether a surviving instance has received a valid refresh token of that session. */
  async hasGood(loginName, grantId) {
    const ofGrant = (this.refreshTokens.get(loginName) ?? []).filter((entry) => entry.grantId === grantId);
    for (const { token, at } of ofGrant.slice(-10)) {
      const diedWith = this.killedAt.some((killedAt) => killedAt >= at && killedAt - at < DIED_WITH_MS);
      if (!diedWith && (await this.ownerOf(token))) return true;
    }
    return false;
  }
}
