// The measured servers: separate processes on the core of the server.
import { createServer } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { startProgram } from './programs.mjs';

const PATIENCE_MS = 20_000;
const POLL_MS = 5;

/**
 * Starts a program that is configured by its environment only, as in production.
 *
 * @param {string} path below the root of the repository
 * @param {{ origin: string, env: Record<string, string>, onLine?: (line: string) => void }} options `origin`: its address when it is ready
 */
export async function startServer(path, { origin, ...options }) {
  const started = performance.now();
  const program = startProgram(path, { ...options, core: 'server', served: false });
  while (performance.now() - started < PATIENCE_MS && !program.problem()) {
    const answer = await fetch(origin, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.arrayBuffer();
    if (answer && answer.status < 500) return { ...program, origin, startMs: performance.now() - started };
    await wait(POLL_MS);
  }
  const problem = program.problem();
  await program.stop();
  throw new Error(problem ?? `${origin} does not answer`);
}

/**
 * Starts a program that serves `start`, which returns its port.
 *
 * @param {string} path below the root of the repository
 */
export async function startPlainServer(path, ...args) {
  const program = startProgram(path, { core: 'server', env: { NODE_ENV: 'production' } });
  const port = await program.call('start', ...args);
  return { ...program, origin: `http://localhost:${port}` };
}

/** @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
