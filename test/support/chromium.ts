import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

/** The time limit of a test that starts Chromium, with its installation. */
export const START_MS = 240_000;

/** Disables requests of Chromium itself, and additional processes for each context. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--renderer-process-limit=1',
  '--in-process-gpu',
];

/** The headless shell has the same engine without windows and loads a page in half the time. */
const usualPlaces = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Starts headless Chromium. Installs it if it is missing, and throws with instructions if that fails. */
export async function startChromium(): Promise<Browser> {
  const executablePath = found() ?? installed();
  if (!executablePath) {
    throw new Error(
      'The browser tests need Chromium. Install it (Debian: "apt-get install chromium-headless-shell"; elsewhere: ' +
        '"npx playwright-core install chromium") or set CHROMIUM_PATH to one.',
    );
  }
  return chromium.launch({ executablePath, args: flags, headless: true });
}

function found(): string | undefined {
  const given = process.env['CHROMIUM_PATH'];
  if (given && !isExecutable(given)) throw new Error('CHROMIUM_PATH names no program that can be run.');
  return given || [chromium.executablePath(), ...usualPlaces].find(isExecutable);
}

function installed(): string | undefined {
  const run = (command: string, ...args: string[]) =>
    spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'] }).status === 0;
  const isRootOnDebian = process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;
  if (isRootOnDebian) {
    run('apt-get', 'update', '-qq');
    const install = (name: string) => run('apt-get', 'install', '-qq', '-y', '--no-install-recommends', name);
    if (!install('chromium-headless-shell')) install('chromium');
  } else run('npx', '--no', 'playwright-core', 'install', 'chromium');
  return found();
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
