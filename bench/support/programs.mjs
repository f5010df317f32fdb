// Child processes, each pinned to its core. All of them end with this process.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cores } from './machine.mjs';
import { call } from './remote.mjs';

const STOP_MS = 2_000;

const running = new Set();

// A folder without a .env file: a program is configured only by its environment.
const emptyFolder = mkdtempSync(join(tmpdir(), 'bench-'));

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(emptyFolder, { recursive: true, force: true });
});

/**
 * Starts a Node program of this repository.
 *
 * @param {string} path below the root of the repository
 * @param {Parameters<typeof startCommand>[2]} options
 */
export function startProgram(path, options) {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url));
  return startCommand(process.execPath, [file], { served: true, ...options });
}

/**
 * Starts a program without the environment of this process.
 *
 * @param {string} command
 * @param {string[]} words its arguments
 * @param {{ core: 'server' | 'load', env?: Record<string, string>, served?: boolean, onLine?: (line: string) => void }} options
 *   `served`: whether it serves `call`; `onLine`: receives each line of its standard output
 */
export function startCommand(command, words, { core, env = {}, served = false, onLine }) {
  const [first = '', ...args] = cores
    ? ['taskset', '-c', String(cores[core]), command, ...words]
    : [command, ...words];
  const child = spawn(first, args, {
    cwd: emptyFolder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', onLine ? 'pipe' : 'ignore', 'pipe', ...(served ? ['ipc'] : [])],
  });
  running.add(child);
  let said = '';
  if (child.stdout && onLine) createInterface(child.stdout).on('line', onLine);
  child.stderr?.on('data', (data) => (said = (said + data).slice(-4_000)));
  const ended = new Promise((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      resolve(undefined);
    });
  });
  return {
    problem: () => (running.has(child) ? undefined : `${[command, ...words].join(' ')} has ended:\n${said}`),
    call: (name, ...args) => call(child, name, ...args),
    /** The CPU time of all its threads; NaN if the system does not report it. */
    cpuUs: () => cpuUsOf(child.pid),
    /** Its resident memory; NaN if the system does not report it. */
    rssMiB: () => rssMiBOf(child.pid),
    signal: (name) => child.kill(name),
    async stop(patienceMs = STOP_MS) {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), patienceMs).unref();
      await ended;
    },
  };
}

/** @param {number | undefined} pid */
function cpuUsOf(pid) {
  if (process.platform !== 'linux') return NaN;
  // `/proc/PID/stat` has the same sum in ticks of 10 ms, which is more than a sign-in takes.
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [ranNs = ''] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1);
    return sum + Number(ranNs) / 1_000;
  }, 0);
}

/** @param {number | undefined} pid */
function rssMiBOf(pid) {
  if (process.platform !== 'linux') return NaN;
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}
