import { spawnSync } from 'node:child_process';

/** Makes sure a program is there: as root on Debian or Ubuntu installs its package, else fails saying what to do. */
export function installed(program: string, packageName: string): string {
  const found = path(program) ?? afterInstalling(program, packageName);
  if (found) return found;
  throw new Error(
    `The tests need ${program}. Install it (Debian, Ubuntu: "apt-get install ${packageName}").`,
  );
}

function path(program: string): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', `PATH="$PATH:/usr/sbin" command -v ${program}`], {
    encoding: 'utf8',
  });
  return stdout.trim() || undefined;
}

function afterInstalling(program: string, packageName: string): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const args of [
    ['update', '-qq'],
    ['install', '-qq', '-y', '--no-install-recommends', packageName],
  ]) {
    spawnSync('apt-get', args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      // A package that starts its server at once would take the port of somebody else.
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
    });
  }
  return path(program);
}
