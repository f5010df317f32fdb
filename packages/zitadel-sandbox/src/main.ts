#!/usr/bin/env node
import { banner } from './banner.js';
import { readCommandLine, usage } from './command-line.js';

await run();

async function run(): Promise<void> {
  try {
    const command = await readCommandLine(process.argv.slice(2));
    if (command.help) {
      process.stdout.write(usage);
      return;
    }
    await serve(command);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function serve({
  options,
  webOrigin,
  quiet,
}: Awaited<ReturnType<typeof readCommandLine>>): Promise<void> {
  // loaded late: a wrong argument and --help need not wait for it
  const { startSandbox } = await import('./sandbox.js');
  const sandbox = await startSandbox(options);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.close());
  if (!quiet) process.stdout.write(banner(sandbox, webOrigin, options.keyFolder));
}
