#!/usr/bin/env node
import { banner } from './cli/banner.js';
import { readCommandLine, usage, type Command } from './cli/command-line.js';
import type { Sandbox } from './sandbox.js';

await run();

async function run(): Promise<void> {
  try {
    const command = await readCommandLine(process.argv.slice(2));
    if (command === 'help') {
      process.stdout.write(usage);
      return;
    }
    await serve(command);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

async function serve(command: Command): Promise<void> {
  const { options, keyFolder, quiet } = command;
  // imported on demand: oidc-provider takes long to load, and --help or a wrong argument does not need it
  const { startSandbox } = await import('./sandbox.js');
  const sandbox = await startSandbox(options);
  if (keyFolder !== undefined) await writeKeys(sandbox, keyFolder);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void sandbox.close());
  if (!quiet) process.stdout.write(banner(sandbox, command));
}

async function writeKeys(sandbox: Sandbox, folder: string): Promise<void> {
  try {
    await sandbox.writeKeys(folder);
  } catch (error) {
    await sandbox.close();
    throw new Error(`--key-folder: cannot write the keys into ${folder}`, { cause: error });
  }
}
