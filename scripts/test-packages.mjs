// `npm run test:packages`: packs the packages from what a clean clone holds, installs them into programs of their own, as npm would
// from a registry, and runs the tests there. The programs stand outside the repository, where Node.js finds no further package.
// A lock file that was deleted is written anew.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const packages = ['nestjs-auth', 'nestjs-zitadel'];
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'packages-')));
const tarballs = join(folder, 'tarballs');
let failed = 0;
try {
  pack();
  const consumers = packages.flatMap(install);
  for (const consumer of consumers.filter((cwd) => existsSync(join(cwd, 'suite.mjs'))))
    run(process.execPath, ['--test', '--test-reporter=spec', 'suite.mjs'], consumer);
  const jest = [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
  ];
  run(process.execPath, [...jest, '--config=scripts/installed.jest.config.mjs'], '.', { CONSUMERS: folder });
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = failed > 0 ? 1 : 0;

/** Makes a tarball of each package in a copy of the repository without anything that was built. */
function pack() {
  const clone = join(folder, 'clone');
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  for (const file of stdout.toString().split('\0').filter(existsSync)) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(file, join(clone, file));
  }
  // The packages of others, and those of the copy in place of these.
  mkdirSync(join(clone, 'node_modules/@mridang'), { recursive: true });
  for (const name of readdirSync('node_modules').filter((entry) => entry !== '@mridang'))
    symlinkSync(resolve('node_modules', name), join(clone, 'node_modules', name));
  mkdirSync(tarballs);
  for (const name of packages) {
    symlinkSync(join(clone, 'packages', name), join(clone, 'node_modules/@mridang', name));
    run('npm', ['pack', '--silent', `--pack-destination=${tarballs}`], join(clone, 'packages', name));
    const made = readdirSync(tarballs).find((file) => file.startsWith(`mridang-${name}-`));
    if (made) renameSync(join(tarballs, made), join(tarballs, `${name}.tgz`));
  }
}

/** Installs the consumers of a package. Returns their folders. */
function install(name) {
  const consumers = join('packages', name, 'test/consumers');
  const suite = join(consumers, 'suite.mjs');
  return readdirSync(consumers, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => {
      const cwd = join(folder, name, entry.name);
      const lock = join(consumers, entry.name, 'package-lock.json');
      cpSync(join(consumers, entry.name), cwd, { recursive: true });
      run('npm', [existsSync(lock) ? 'ci' : 'install', '--no-fund', '--no-audit'], cwd);
      if (!existsSync(lock))
        writeFileSync(lock, withoutTarballs(readFileSync(join(cwd, 'package-lock.json'))));
      if (existsSync(suite) && !entry.name.startsWith('empty')) cpSync(suite, join(cwd, 'suite.mjs'));
      return cwd;
    });
}

/** The hash of a tarball of this repository changes with every change of its sources. */
function withoutTarballs(lock) {
  const content = JSON.parse(lock);
  for (const entry of Object.values(content.packages))
    if (entry.resolved?.startsWith('file:')) delete entry.integrity;
  return `${JSON.stringify(content, null, 2)}\n`;
}

function run(command, args, cwd, env = {}) {
  console.log(`\n${cwd}: ${command} ${args.at(-1)}`);
  const { status } = spawnSync(command, args, { cwd, stdio: 'inherit', env: { ...process.env, ...env } });
  if (status !== 0) failed++;
}
