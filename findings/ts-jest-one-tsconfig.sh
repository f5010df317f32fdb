#!/usr/bin/env bash
# Expected: two entries of Jest's `transform` that use ts-jest with another `tsconfig` each compile their files each with its own.
# Behaviour: every file of the run is compiled with the tsconfig of the entry that was used first. No warning.
# Version: ts-jest 29.4.15 with jest 30.5.2 and typescript 6.0.3. Source: ts-jest's TsJestTransformer keeps the ConfigSet it has
# made by the configuration of Jest, which is the same for all entries.
set -euo pipefail
versions="jest@30.5.2 ts-jest@29.4.15 typescript@6.0.3"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
# shellcheck disable=SC2086 -- a list
npm install --no-fund --no-audit --silent $versions >/dev/null
mkdir old new
echo 'export async function compiled() { return 1; }' | tee old/file.ts >new/file.ts
for target in ES2015 ES2022; do
  echo "{\"compilerOptions\":{\"target\":\"$target\",\"module\":\"CommonJS\",\"isolatedModules\":true,\"types\":[]}}" >"$target.json"
done
cat >jest.config.js <<'EOF'
const tsJest = (tsconfig) => ['ts-jest', { tsconfig, diagnostics: false }];
module.exports = {
  testMatch: ['**/*.test.js'],
  cache: false,
  transform: { '/old/.*\\.ts$': tsJest('ES2015.json'), '/new/.*\\.ts$': tsJest('ES2022.json') },
};
EOF
# Below ES2017 `async` becomes a helper, `__awaiter`.
for first in old new; do
  other=$([ "$first" = old ] && echo new || echo old)
  cat >"$first.test.js" <<EOF
test('$first first', () => {
  const isOld = (name) => require('./' + name + '/file.ts').compiled.toString().includes('__awaiter');
  const found = { $first: isOld('$first'), $other: isOld('$other') };
  require('node:fs').writeFileSync('$first.json.out', [found.old, found.new].join(' '));
});
EOF
done
npx jest -i old.test.js >/dev/null 2>&1
npx jest -i new.test.js >/dev/null 2>&1
echo "$versions"
echo "old (ES2015) first: helper in old, in new: $(cat old.json.out)"
echo "new (ES2022) first: helper in old, in new: $(cat new.json.out)"
# As expected would be: true false, both times.
[ "$(cat old.json.out)" = 'true true' ] && [ "$(cat new.json.out)" = 'false false' ]
