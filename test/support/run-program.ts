import { setTimeout as pause } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program started for a test: its output and its exit. */
export interface RunningProgram {
  pid: number;
  output: () => string;
  /** the standard output alone */
  stdout: () => string;
  /** waits until the output contains `text`; throws with the output if the program exits or the time is over */
  says(text: string | RegExp, timeoutMs?: number): Promise<void>;
  exit: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a program without the environment of this process, except what every program needs. */
export function runProgram(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  cwd = mkdtempSync(join(tmpdir(), 'app-')),
): RunningProgram {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(command, args, { cwd, env: { PATH, HOME, NO_COLOR: '1', ...env } });
  let said = '';
  let printed = '';
  child.stdout.on('data', (data: Buffer) => (printed += data.toString()));
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += data.toString()));
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  let ended = false;
  void exit.then(() => (ended = true));
  return {
    pid: child.pid ?? 0,
    output: () => said,
    stdout: () => printed,
    async says(text, timeoutMs = 20_000) {
      const deadline = Date.now() + timeoutMs;
      const isSaid = () => (typeof text === 'string' ? said.includes(text) : text.test(said));
      while (!isSaid()) {
        if (ended || Date.now() > deadline) throw new Error(`Never said ${String(text)}, but:\n${said}`);
        await pause(25);
      }
    },
    exit,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exit;
    },
  };
}
