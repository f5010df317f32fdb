#!/usr/bin/env bash
# Expected: `npm ci --omit=dev` leaves out a package that only the `devDependencies` of the project name.
# Seen: it is installed all the same when a production package names it as an *optional* peer, though nothing in production asked for it. The
#   lock file marks it `devOptional`: left out only with `--omit=dev --omit=optional`, which leaves out optional dependencies of production as
#   well. So a library with TypeScript as an optional peer brings the whole compiler (23 MB) into a production installation.
# Versions: cosmiconfig 9.0.0, typescript 5.6.3, npm 11.19
# Source: `devOptional` in https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json, which names optional dependencies of production as its
#   cause; optional peers (`peerDependenciesMeta`) are counted as such.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

install() {
  rm -rf node_modules
  npm ci --ignore-scripts --no-audit --no-fund --silent "$@"
  if [ -d node_modules/typescript ]; then echo "installed"; else echo "left out"; fi
}

manifest() {
  echo "{ \"name\": \"sample\", \"private\": true, \"dependencies\": { $1 }, \"devDependencies\": { \"typescript\": \"5.6.3\" } }" >package.json
  rm -f package-lock.json
  npm install --package-lock-only --ignore-scripts --no-audit --no-fund --silent
}

echo "npm $(npm --version)"
manifest '"ms": "2.1.3"'
alone=$(install --omit=dev)
manifest '"cosmiconfig": "9.0.0"'
mark=$(node -p 'JSON.stringify(require("./package-lock.json").packages["node_modules/typescript"].devOptional)')
peer=$(install --omit=dev)
both=$(install --omit=dev --omit=optional)
echo "typescript in devDependencies alone, --omit=dev: $alone"
echo "the same and an optional peer of cosmiconfig, --omit=dev: $peer (devOptional: $mark)"
echo "… with --omit=dev --omit=optional: $both"
[ "$alone $peer $both $mark" = "left out installed left out true" ]
