#!/usr/bin/env bash
# Expected: a health indicator whose result has a status that Terminus does not know makes the check fail, or at least
#   stands in the answer.
# Behaviour: the result is left out of info, error and details, and the whole is "ok": a misspelt status looks healthy.
# Version: @nestjs/terminus 12.1.0. Source: executeHealthIndicators keeps "up", "degraded" and "down" and nothing else.
set -euo pipefail
version=12.1.0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-fund --no-audit --silent "@nestjs/terminus@$version" @nestjs/common@12.5.1 @nestjs/core@12.5.1 reflect-metadata@0.2.2 rxjs@7.8.2 >/dev/null
cat > check.mjs <<'JS'
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { HealthCheckService, TerminusModule } from '@nestjs/terminus';

class AppModule {}
Module({ imports: [TerminusModule] })(AppModule);
const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const result = await app.get(HealthCheckService, { strict: false }).check([
  async () => ({ database: { status: 'up' } }),
  async () => ({ queue: { status: 'misconfigured' } }),
]);
console.log(JSON.stringify(result));
await app.close();
JS
seen=$(node check.mjs)
echo "@nestjs/terminus $version: $seen"
[ "$seen" = '{"status":"ok","info":{"database":{"status":"up"}},"error":{},"details":{"database":{"status":"up"}}}' ]
