/**
 * `npm run test:nodes [-- MAJOR…]`: runs all tests on other versions of Node.js, 22, 24 and 26 by default, and
 * prints a table. The versions come from the npm registry, as the dependencies of the package `node`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const given = process.argv.slice(2);
const majors = given.length > 0 ? given : ['22', '24', '26'];
const { test } = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
const flags = test.split(' ').slice(1);
const platform = process.platform === 'win32' ? 'win' : process.platform;
const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
const table = {};
try {
  for (const major of majors) table[major] = testedOn(major);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.table(table);
if (Object.values(table).some(({ failed }) => failed !== 0)) process.exitCode = 1;

function testedOn(major) {
  const name = `node-${platform}-${process.arch}`;
  const prefix = join(folder, major);
  run('npm', ['install', '--prefix', prefix, '--no-fund', '--no-audit', '--no-save', `${name}@${major}`]);
  const bin = join(prefix, 'node_modules', name, 'bin');
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };
  const version = run(join(bin, 'node'), ['--version'], { env, stdio: 'pipe' }).stdout.toString().trim();
  console.log(`\nNode.js ${version}`);
  const results = join(folder, `${major}.json`);
  const started = Date.now();
  run(join(bin, 'node'), [...flags, '--json', `--outputFile=${results}`], { env });
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(readFileSync(results, 'utf8'));
  return {
    version,
    passed: numPassedTests,
    failed: Math.max(numFailedTests, numFailedTestSuites && 1),
    seconds: Math.round((Date.now() - started) / 1000),
  };
}

function run(command, args, options) {
  const result = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (result.error) throw result.error;
  return result;
}
