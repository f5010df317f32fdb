// A lock file written on one platform must work on all: every optional platform package that a locked package
// names must be locked as well, or `npm ci` fails on other platforms.
import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies)
    .filter((name) => !isLocked(path, name))
    .map((name) => `${path || 'the project'} wants ${name}`),
);
if (missing.length > 0) {
  console.error(`Not in package-lock.json:\n  ${missing.join('\n  ')}`);
  process.exitCode = 1;
}

/** Node.js resolves a package in the folder of the importer, then in each parent folder. */
function isLocked(from, name) {
  const folders = from
    .split('/node_modules/')
    .map((_, depth, parts) => `${parts.slice(0, depth + 1).join('/node_modules/')}/`);
  return ['', ...folders].some((folder) => packages[`${folder}node_modules/${name}`]);
}
