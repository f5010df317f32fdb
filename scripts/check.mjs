// `npm run check`: types, lint, format, unused exports, lock file and deployment. Runs all checks even if one fails.
import { spawnSync } from 'node:child_process';

const steps = [
  ['types of the packages and the application', 'tsc', ['-b']],
  ['types of the tests', 'tsc', ['-p', 'tsconfig.test.json']],
  ['lint', 'eslint', ['.', '--max-warnings=0']],
  ['format', 'prettier', ['--check', '--log-level=warn', '.']],
  [
    'unused exports',
    'ts-unused-exports',
    [
      'tsconfig.test.json',
      '--excludePathsFromReport=packages/[^/]+/src/(testing/)?index.ts',
      '--allowUnusedTypes',
      '--exitWithCount',
    ],
  ],
  ['lock file', 'node', ['scripts/check-lock.mjs']],
  ['what is deployed', 'node', ['scripts/check-deploy.mjs']],
];

let failed = 0;
for (const [name, command, args] of steps) {
  const bin = command === 'node' ? process.execPath : `node_modules/.bin/${command}`;
  const started = Date.now();
  const { status } = spawnSync(bin, args, { stdio: 'inherit' });
  console.log(
    `${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
  );
  if (status !== 0) failed++;
}
process.exitCode = failed > 0 ? 1 : 0;
