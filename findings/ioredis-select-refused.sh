#!/usr/bin/env bash
# Expected: a client of `redis://host/2` that cannot select database 2 sends no commands: it fails, or connects again.
# Seen: ioredis emits `error`, then `ready`, and sends all commands to the database the connection is in: 0. So a server with fewer databases than the
#   URL asks for, or an ACL without SELECT, mixes the keys of programs that were kept apart by database number; each `set` succeeds.
# Version: ioredis 6.0.0 (5.8.2 does the same)
# Source: connectHandler in built/redis/event_handler.js: a refused SELECT is emitted as `error`, and the ready check goes on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "name": "sample", "private": true }' >package.json
npm install --silent --no-audit --no-fund --ignore-scripts ioredis@6.0.0 ioredis5@npm:ioredis@5.8.2
cat >run.cjs <<'JS'
const { createServer } = require('node:net');
const name = process.argv[2];
const Redis = require(name);

/** A server of Redis' protocol with one database: what it answers is what redis-server 7 with `databases 1` answers. */
const server = createServer((socket) => {
  let database = 0;
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (data) => {
    text += data;
    for (let command; (command = next()); ) answer(command);
  });
  function next() {
    const lines = text.split('\r\n');
    const count = Number(/^\*(\d+)$/.exec(lines[0])?.[1]);
    if (!count || lines.length < 2 * count + 2) return undefined;
    text = lines.slice(2 * count + 1).join('\r\n');
    return lines.filter((_, index) => index > 0 && index <= 2 * count && index % 2 === 0);
  }
  function answer([command, ...args]) {
    if (/^select$/i.test(command)) return socket.write('-ERR DB index is out of range\r\n');
    if (/^info$/i.test(command)) return socket.write('$19\r\nredis_version:7.0.0\r\n');
    if (/^hello$/i.test(command)) return socket.write('%1\r\n$5\r\nproto\r\n:3\r\n');
    if (/^set$/i.test(command)) console.log(`  server: SET ${args[0]} in database ${database}`);
    socket.write('+OK\r\n');
  }
});
server.listen(0, '127.0.0.1', async () => {
  const redis = new Redis(`redis://127.0.0.1:${server.address().port}/2`);
  const heard = [];
  redis.on('error', ({ message }) => heard.push(`error (${message})`));
  redis.on('ready', () => heard.push('ready'));
  await new Promise((done) => redis.once('ready', done));
  console.log(`  set: ${await redis.set('key', 'value')}`);
  console.log(`  events: ${heard.join(', ')}`);
  process.exit();
});
JS
for name in ioredis ioredis5; do
  echo "ioredis $(node -p "require('./node_modules/$name/package.json').version"), Node.js $(node --version)"
  node run.cjs "$name" | tee out
  grep -q 'SET key in database 0' out
  grep -q 'set: OK' out
  grep -q 'error (ERR DB index is out of range), ready' out
done
