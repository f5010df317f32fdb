#!/usr/bin/env bash
# Expected: what Jest makes for a test file is gone when the next file runs in the same worker, so promises cost the same in the fiftieth file as in
#   the first.
# Seen: jest-circus 30 is evaluated anew for each file and uses an AsyncLocalStorage, which is never disabled. Before Node.js 24 a process keeps a list
#   of all storages that were used, and copies the store of each into every promise: each file makes all later ones slower. Printed: storages
#   enabled and not disabled after each file, and, for information, the time of 200,000 awaited promises in it. From Node.js 24 on (AsyncContextFrame)
#   there is no list.
# Versions: jest 30.5.2, Node.js 20.20 and 22
# Source: `storageList` in lib/internal/async_local_storage/async_hooks.js of Node.js 22 (lib/async_hooks.js of 20); jest-circus, jestAdapterInit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "name": "sample", "private": true, "jest": { "testEnvironment": "node", "setupFiles": ["./count.js"] } }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts jest@30.5.2
cat >count.js <<'JS'
const { AsyncLocalStorage } = require('node:async_hooks');
const { prototype } = AsyncLocalStorage;
// One for all files: modules of Node.js are those of the process.
const enabled = (AsyncLocalStorage.enabled ??= new Set());
if (prototype._enable && !prototype.isCounted) {
  prototype.isCounted = true;
  for (const [name, note] of [['_enable', 'add'], ['disable', 'delete']]) {
    const original = prototype[name];
    prototype[name] = function () {
      enabled[note](this);
      return original.call(this);
    };
  }
}
JS
for file in $(seq 10 29); do
  cat >"file$file.test.js" <<'JS'
test('promises', async () => {
  const start = performance.now();
  for (let count = 0; count < 200_000; count++) await undefined;
  const ms = Math.round(performance.now() - start);
  require('node:fs').appendFileSync('counts', `${require('node:async_hooks').AsyncLocalStorage.enabled.size} ${ms}\n`);
});
JS
done
echo "Node.js $(node --version), jest $(node_modules/.bin/jest --version)"
node_modules/.bin/jest --runInBand --silent >out 2>&1 || { cat out; exit 1; }
echo "storages  ms"
sed -n '1p;5p;10p;15p;20p' counts
first=$(sed -n 1p counts | cut -d' ' -f1)
last=$(sed -n 20p counts | cut -d' ' -f1)
if node -e 'process.exit(require("node:async_hooks").AsyncLocalStorage.prototype._enable ? 0 : 1)'; then
  [ "$last" -ge $((first + 19)) ]
else
  [ "$last" -eq 0 ]
fi
