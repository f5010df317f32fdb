// `npm run setup`: makes or mends in a Zitadel what the application needs, and writes .env (docs/zitadel.md).
import { spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';

const args = process.argv.slice(2);
// Standard output is for the result.
const built = spawnSync(
  process.execPath,
  ['node_modules/typescript/bin/tsc', '-b', 'packages/zitadel-setup'],
  {
    stdio: ['ignore', 2, 2],
  },
);
if (built.status !== 0) process.exit(1);
const { runSetup } = await import('zitadel-setup');

process.exitCode = await runSetup(args, {
  stdout: process.stdout,
  stderr: process.stderr,
  isInteractive: Boolean(process.stdin.isTTY && process.stderr.isTTY && !process.env.CI),
  ask,
});

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
