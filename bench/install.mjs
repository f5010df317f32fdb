import { execFileSync } from 'node:child_process';
import { cpSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rounded } from './support/numbers.mjs';

export const question = 'What does an installation for production take?';
export const about =
  '`npm ci --omit=dev` in an empty folder: all packages, with those that the package manager adds for the workspaces, and the blocks they take on the disk. `dist` itself needs none of them.';

const PACKAGES_GOAL = 155;
const SIZE_GOAL_MIB = 60;

const root = fileURLToPath(new URL('..', import.meta.url));

export async function answer() {
  const folder = mkdtempSync(join(tmpdir(), 'install-'));
  try {
    for (const path of ['package.json', 'package-lock.json', '.npmrc', ...manifests()])
      cpSync(join(root, path), join(folder, path));
    execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: folder,
      stdio: 'ignore',
    });
    const modules = join(folder, 'node_modules');
    const lock = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
    const packages = Object.entries(lock.packages).filter(
      ([path, { link }]) => path.includes('node_modules/') && !link,
    ).length;
    const ofSandbox = Object.keys(lock.packages).filter((path) =>
      sandboxPackages().some((name) => path === `node_modules/${name}`),
    ).length;
    const mib = blocksOf(modules) / 2 ** 20;
    return {
      rows: [{ packages, "of them the sandbox's alone": ofSandbox, MiB: rounded(mib, 0) }],
      goals: [
        { name: 'packages installed for production', measured: packages, atMost: PACKAGES_GOAL, digits: 0 },
        { name: 'their size, MiB', measured: mib, atMost: SIZE_GOAL_MIB, digits: 0 },
        { name: "of them the sandbox's alone", measured: ofSandbox, exactly: 0, isCount: true },
      ],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const manifests = () => readdirSync(join(root, 'packages')).map((name) => `packages/${name}/package.json`);

/** What the sandbox depends on, and no program. */
function sandboxPackages() {
  const { devDependencies } = JSON.parse(
    readFileSync(join(root, 'packages/zitadel-sandbox/package.json'), 'utf8'),
  );
  return Object.keys(devDependencies).filter((name) => name.includes('oidc-provider'));
}

/** Bytes of all files and folders in blocks of 512 bytes. */
function blocksOf(path) {
  const found = lstatSync(path);
  const names = found.isDirectory() ? readdirSync(path) : [];
  return names.reduce((sum, name) => sum + blocksOf(join(path, name)), found.blocks * 512);
}
