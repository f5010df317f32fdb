import { setTimeout as pause } from 'node:timers/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './free-port.js';
import { installed } from './installed.js';
import { until } from './until.js';
import { runProgram, type RunningProgram } from './run-program.js';

export interface RunningRedis {
  url: string;
  /** all entries, as a reader of the database sees them */
  content(): Promise<{ key: string; value: string; ttlMs: number }[]>;
  /** the commands of all clients while `action` runs, without the check of each instance every second */
  commandsDuring(action: () => Promise<unknown>): Promise<string[][]>;
  stop(): Promise<void>;
  /** suspends the process: connections stay open without responses */
  freeze(): void;
  thaw(): void;
  /** starts it again on the same port with an empty database */
  start(): Promise<void>;
}

/** A Redis server without files. */
export async function startRedis(): Promise<RunningRedis> {
  const server = installed('redis-server', 'redis-server');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'redis-'));
  let program: RunningProgram | undefined;

  const start = async () => {
    if (program) return;
    const options = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: folder };
    program = runProgram(
      server,
      Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    );
    await listens(port);
  };
  const signal = (name: NodeJS.Signals) => {
    if (program) process.kill(program.pid, name);
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    async content() {
      const client = new Redis(port, '127.0.0.1');
      try {
        const keys = await client.keys('*');
        return await Promise.all(
          keys.map(async (key) => ({
            key,
            value: String(
              await ((await client.type(key)) === 'zset' ? client.zrange(key, '0', '-1') : client.get(key)),
            ),
            ttlMs: await client.pttl(key),
          })),
        );
      } finally {
        client.disconnect();
      }
    },
    async commandsDuring(action) {
      const client = new Redis(port, '127.0.0.1');
      const monitor = await client.monitor();
      const commands: string[][] = [];
      monitor.on('monitor', (_time: string, command: string[]) => commands.push(command));
      try {
        await action();
        // MONITOR shows commands in their order.
        await client.set('end of monitoring', '', 'PX', 1);
        await until(() => commands.some(([, key]) => key === 'end of monitoring'));
      } finally {
        monitor.disconnect();
        client.disconnect();
      }
      return commands.filter(
        ([name, key = '']) => name !== 'ping' && !key.endsWith(':marker:') && key !== 'end of monitoring',
      );
    },
    async stop() {
      signal('SIGCONT');
      await program?.stop('SIGKILL');
      program = undefined;
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    start,
  };
}

/** Waits until a server accepts connections on a loopback port. */
export async function listens(port: number): Promise<void> {
  for (let attempt = 0; attempt < 800; attempt++) {
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await pause(25);
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`Nobody listens on port ${port}`);
}
