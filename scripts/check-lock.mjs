// A lock file written on one platform must serve all: every optional platform package that a locked package names has to be locked
// itself, or `npm ci` refuses elsewhere. It names no registry, and no hash of a tarball of this repository, which every change changes.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { stdout } = spawnSync('git', [
  'ls-files',
  '--cached',
  '--others',
  '--exclude-standard',
  '*package-lock.json',
]);
const problems = stdout.toString().trim().split('\n').flatMap(problemsIn);
if (problems.length > 0) {
  console.error(`Lock files:\n  ${problems.join('\n  ')}`);
  process.exitCode = 1;
}

function problemsIn(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(packages).flatMap(
    ([path, { optionalDependencies = {}, resolved, integrity, link }]) => [
      ...Object.keys(optionalDependencies)
        .filter((name) => !isLocked(packages, path, name))
        .map((name) => `${file}: ${path || 'the project'} wants ${name}, which is not there`),
      ...(resolved && !link && !resolved.startsWith('file:') ? [`${file}: ${path} names a registry`] : []),
      ...(resolved?.startsWith('file:') && integrity ? [`${file}: ${path} has the hash of a tarball`] : []),
    ],
  );
}

/** Node looks for a package in the folder that asks, then in each folder above it. */
function isLocked(packages, from, name) {
  const folders = from
    .split('/node_modules/')
    .map((_, depth, parts) => `${parts.slice(0, depth + 1).join('/node_modules/')}/`);
  return ['', ...folders].some((folder) => packages[`${folder}node_modules/${name}`]);
}
