// The machine of the measurement.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import process from 'node:process';

/** The core of the server and the core of the load generator; `undefined` where processes cannot be pinned. */
export const cores = separateCores();

export const machine = {
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  system: `${type()} ${release().split('-')[0]}`,
  node: process.version,
  pinned: cores !== undefined,
};

export const machineSentence = `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node.js ${machine.node}; server and load generator ${
  machine.pinned ? 'pinned to separate cores' : '**not** pinned to separate cores'
}`;

/** @returns {{ server: number, load: number } | undefined} */
function separateCores() {
  if (process.platform !== 'linux' || spawnSync('taskset', ['-V']).status !== 0) return undefined;
  const allowed = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const [server, ...others] = listed(allowed);
  // Two threads of one core share its execution units, so they are not separate.
  const load = others.find((cpu) => !siblingsOf(server).includes(cpu));
  return server === undefined || load === undefined ? undefined : { server, load };
}

function siblingsOf(cpu) {
  try {
    return listed(
      readFileSync(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`, 'utf8').trim(),
    );
  } catch {
    return [cpu];
  }
}

/** `0-2,5` as numbers. */
function listed(text) {
  return text.split(',').flatMap((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}
