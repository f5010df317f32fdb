// `npm run test:packages`: installs the packages into separate programs, as from a registry, and runs their tests.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const consumers = 'packages/nestjs-auth/test/consumers';
let failed = 0;
for (const { name } of readdirSync(consumers, { withFileTypes: true }).filter((entry) =>
  entry.isDirectory(),
)) {
  const cwd = join(consumers, name);
  const suite = join(cwd, 'suite.mjs');
  console.log(`\n${name}`);
  copyFileSync(join(consumers, 'suite.mjs'), suite);
  const isInstalled = existsSync(join(cwd, 'package-lock.json'));
  const steps = [
    ['npm', [isInstalled ? 'ci' : 'install', '--no-fund', '--no-audit']],
    [process.execPath, ['--test', '--test-reporter=spec', 'suite.mjs']],
  ];
  const failure = steps.find(
    ([command, args]) => spawnSync(command, args, { cwd, stdio: 'inherit' }).status !== 0,
  );
  if (failure) failed++;
  rmSync(suite);
}
process.exitCode = failed > 0 ? 1 : 0;
