import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Ensures that a program is installed: installs its package as root on Debian or Ubuntu, and throws with instructions otherwise. */
export function installed(program: string, packageName: string): string {
  const found = path(program) ?? afterInstalling(program, packageName);
  if (found) return found;
  throw new Error(
    `The tests need ${program}. Install it (Debian, Ubuntu: "apt-get install ${packageName}").`,
  );
}

const find = (program: string) => `PATH="$PATH:/usr/sbin" command -v ${program}`;

function path(program: string): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', find(program)], { encoding: 'utf8' });
  return stdout.trim() || undefined;
}

/** Only one installation runs at a time, because apt-get fails while another runs. A waiting one may find the program. */
function afterInstalling(program: string, packageName: string): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const install = [
    `${find(program)} && exit`,
    'apt-get update -qq',
    `apt-get install -qq -y --no-install-recommends ${packageName}`,
  ];
  spawnSync('flock', [join(tmpdir(), 'apt-get.lock'), 'sh', '-c', install.join('\n')], {
    stdio: ['ignore', 'ignore', 'inherit'],
    // A package that starts its server would occupy its default port.
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' },
  });
  return path(program);
}
