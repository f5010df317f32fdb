#!/usr/bin/env bash
# Expected: `maxWorkers: '200%'` in the configuration of Jest gives twice as many workers as there are cores, as '50%' gives half.
# Behaviour: beyond 100 the percent sign is dropped: two hundred workers, whatever the machine has. No warning.
# Version: jest 30.5.2. Source: getMaxWorkers in jest-config takes percents from 1 to 100 only, then parses the number.
set -euo pipefail
version=30.5.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-fund --no-audit --silent "jest@$version" >/dev/null
workers() { npx jest --showConfig --config "{\"maxWorkers\": \"$1\"}" | sed -n 's/.*"maxWorkers": \([0-9]*\).*/\1/p'; }
cores=$(node -p 'require("node:os").availableParallelism()')
half=$(workers 50%)
whole=$(workers 100%)
double=$(workers 200%)
echo "jest $version on $cores cores: 50% -> $half, 100% -> $whole, 200% -> $double workers"
[ "$whole" = "$cores" ] && [ "$double" = 200 ]
