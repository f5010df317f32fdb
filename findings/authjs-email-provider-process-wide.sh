#!/usr/bin/env bash
# Expectation: `Auth()` of @auth/core checks each configuration by itself. Two configurations in one process, one with an e-mail
# provider and its adapter, the other with an OAuth provider alone, do not influence each other.
# Behaviour: whether any configuration has an e-mail provider is kept in a variable of the module. From the first call with such a
# configuration on, every other configuration of the process is refused with "Email login requires an adapter" (`MissingAdapter`),
# also where it worked before. Affects programs that serve several tenants, and test suites that start several applications.
# Version: @auth/core 0.41.3 (the newest when this was written).
# Source: run; `hasEmail`, `hasCredentials` and `hasWebAuthn` in lib/utils/assert.js.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @auth/core@0.41.3

cat >run.mjs <<'EOF'
import { Auth } from '@auth/core';

const shared = { secret: 'a secret of more than 32 characters', trustHost: true, basePath: '/auth', logger: { error: () => {} } };
const oauth = {
  id: 'example', type: 'oauth', clientId: 'client', checks: ['state'],
  authorization: 'https://login.example/authorize', token: 'https://login.example/token', userinfo: 'https://login.example/userinfo',
};
const adapter = Object.fromEntries(
  ['createVerificationToken', 'useVerificationToken', 'getUserByEmail'].map((name) => [name, async () => null]),
);
const email = { id: 'email', type: 'email', name: 'E-mail', from: 'noreply@example.com', sendVerificationRequest: async () => {} };

const providersOf = async (config) => {
  const response = await Auth(new Request('https://app.example/auth/providers'), { ...shared, ...config });
  return response.status === 200 ? `200 ${Object.keys(await response.json())}` : `${response.status}`;
};
const withOAuth = () => providersOf({ providers: [oauth] });
console.log('OAuth alone:', await withOAuth());
console.log('e-mail with adapter:', await providersOf({ providers: [email], adapter }));
console.log('OAuth alone again:', await withOAuth());
EOF
echo "Node.js $(node --version), @auth/core $(node -p "JSON.parse(require('fs').readFileSync('node_modules/@auth/core/package.json')).version")"
node run.mjs | tee output
diff output - <<'EOF'
OAuth alone: 200 example
e-mail with adapter: 200 email
OAuth alone again: 500
EOF
echo 'As described.'
