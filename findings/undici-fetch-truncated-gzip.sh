#!/usr/bin/env bash
# Expected: `fetch` rejects a gzip body that ends before its trailer, as `zlib.gunzip` does ("unexpected end of file"): something on the
# way has cut it, though its length is the one in Content-Length.
# Behaviour: the body resolves with what could be decoded, without an error: half of a list looks like a list. `request` of the same
# package with its `decompress` interceptor rejects it.
# Version: undici 7.30.2. Source: fetch makes its decoder with `finishFlush: Z_SYNC_FLUSH` (lib/web/fetch/index.js), as browsers do.
set -euo pipefail
version="undici@7.30.2"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-fund --no-audit --silent "$version" >/dev/null
cat >truncated.mjs <<'EOF'
import { createServer } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Agent, fetch, interceptors, request } from 'undici';

const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index} ${Math.sin(index)}`).join('\n');
const whole = gzipSync(lines);
const half = whole.subarray(0, whole.length / 2);
const server = createServer((_, response) =>
  response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': half.length }).end(half),
);
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${server.address().port}`;
const outcome = async (read) => {
  try {
    return (await read()).length < lines.length ? 'a part, without an error' : 'all';
  } catch {
    return 'an error';
  }
};
const dispatcher = new Agent().compose(interceptors.decompress());
console.log(`zlib: ${await outcome(async () => gunzipSync(half).toString())}`);
console.log(`fetch: ${await outcome(async () => (await fetch(url)).text())}`);
console.log(`request: ${await outcome(async () => (await request(url, { dispatcher })).body.text())}`);
await dispatcher.close();
server.close();
EOF
output=$(node --no-warnings truncated.mjs)
echo "$version"
echo "$output"
# As expected would be: an error, three times.
[ "$output" = "zlib: an error
fetch: a part, without an error
request: an error" ]
