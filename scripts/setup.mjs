// `npm run setup`: makes or mends in a Zitadel what the application needs, and writes .env (docs/zitadel.md).
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';

import { doctorLines } from './doctor-lines.mjs';

const args = process.argv.slice(2);
if (!compiled('packages/zitadel-setup')) process.exit(1);
const { runSetup } = await import('zitadel-setup');

process.exitCode = await runSetup(args, {
  stdout: process.stdout,
  stderr: process.stderr,
  isInteractive: Boolean(process.stdin.isTTY && process.stderr.isTTY && !process.env.CI),
  ask,
  doctor,
});

/** Standard output is for the result. */
function compiled(...projects) {
  const tsc = ['node_modules/@typescript/native/bin/tsc', '-b', ...projects];
  return spawnSync(process.execPath, tsc, { stdio: ['ignore', 2, 2] }).status === 0;
}

/** A process of its own, which reads the environment as the programs do. */
function doctor(envFile, serviceKeyFile) {
  if (!compiled()) return undefined;
  const key = serviceKeyFile === undefined ? [] : ['--service-key', serviceKeyFile];
  const run = ['--', 'scripts/doctor.mjs', '--json', '--env-file', envFile, ...key];
  const { stdout } = spawnSync(process.execPath, run, { stdio: ['ignore', 'pipe', 2] });
  const document = JSON.parse(stdout.toString());
  process.stderr.write(`\n${doctorLines(document.checks, process.stderr)}\n`);
  return document;
}

async function ask(question) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    // the end of the input is no answer
    const closed = new Promise((resolve) => terminal.once('close', () => resolve('')));
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}
