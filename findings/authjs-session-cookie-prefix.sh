#!/usr/bin/env bash
# Expected: Auth.js reads its session from the cookie `authjs.session-token`, or from its chunks `authjs.session-token.0`, `.1`, …
# Behaviour: every cookie whose name begins with `authjs.session-token` counts as a chunk. One of another application on the same host,
# such as `authjs.session-token-3001`, is joined with the own one: the session cannot be read any more, nobody is signed in, and
# /session answers with a deletion of both cookies.
# Version: @auth/core 0.41.3. Source: SessionStore in lib/utils/cookie.js compares names with `startsWith`.
set -euo pipefail
version="@auth/core@0.41.3"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-fund --no-audit --silent "$version" >/dev/null
cat >session.mjs <<'EOF'
import { Auth } from '@auth/core';
import { encode } from '@auth/core/jwt';

const name = 'authjs.session-token';
const secret = 'a secret of this script that is long enough';
const config = { providers: [], secret, trustHost: true, basePath: '/auth', useSecureCookies: false, logger: { error() {} } };
const own = `${name}=${await encode({ token: { name: 'Alice' }, secret, salt: name })}`;

async function ask(cookie) {
  const answer = await Auth(new Request('http://localhost:3000/auth/session', { headers: { cookie } }), config);
  const deleted = answer.headers.getSetCookie().filter((line) => /Max-Age=0/i.test(line));
  const user = (await answer.json())?.user?.name ?? 'nobody';
  return `${user}, deleted: ${deleted.map((line) => line.split('=')[0]).sort().join(' ') || 'none'}`;
}

console.log(`own cookie alone: ${await ask(own)}`);
console.log(`with ${name}-3001: ${await ask(`${own}; ${name}-3001=of-another-application`)}`);
EOF
output=$(node session.mjs)
echo "$version"
echo "$output"
# As expected would be: Alice, and nothing deleted, both times.
[ "$output" = "own cookie alone: Alice, deleted: none
with authjs.session-token-3001: nobody, deleted: authjs.session-token authjs.session-token-3001" ]
