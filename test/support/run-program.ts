import { setTimeout as pause } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A program started for a test: what it says, and when it ends. */
export interface RunningProgram {
  pid: number;
  output: () => string;
  /** waits until the program has said `text`; fails with what it said if it ends or takes too long */
  says(text: string | RegExp, timeoutMs?: number): Promise<void>;
  exit: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a program with nothing of this process's environment or folder but what programs need to run. */
export function runProgram(
  command: string,
  args: string[],
  env: Record<string, string> = {},
  cwd = mkdtempSync(join(tmpdir(), 'app-')),
): RunningProgram {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(command, args, { cwd, env: { PATH, HOME, NO_COLOR: '1', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += data.toString()));
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  let ended = false;
  void exit.then(() => (ended = true));
  return {
    pid: child.pid ?? 0,
    output: () => said,
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
