// `npm run test:zitadel -- --issuer URL --pat-file FILE`: the main job against any Zitadel (test/zitadel.spec.ts).
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ManagementClient, tokenFromFile } from 'zitadel-setup';
import { z } from 'zod';

let values;
try {
  ({ values } = parseArgs({
    options: { issuer: { type: 'string' }, 'pat-file': { type: 'string' }, help: { type: 'boolean' } },
  }));
} catch (error) {
  fail(error.message);
}
if (values.help) {
  console.log(`npm run test:zitadel -- --issuer URL --pat-file FILE

Tries the main job against any Zitadel, in an organization of its own that is deleted afterwards. The token needs the role IAM_OWNER
or IAM_ORG_MANAGER; where Zitadel has no login page IAM_OWNER, or IAM_LOGIN_CLIENT beside IAM_ORG_MANAGER. With IAM_OWNER the access
tokens of the whole instance live for 20 s meanwhile, so that a refresh can be seen; the former lifetime is set again at the end, also after Ctrl+C. Without options: an empty sandbox.`);
  process.exit(0);
}
const { issuer, 'pat-file': patFile } = values;
if ((issuer === undefined) !== (patFile === undefined))
  fail('--issuer and --pat-file: give both, or none for a sandbox');
if (issuer !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(issuer))
  fail('--issuer: expected an address without a path, such as https://my.zitadel.example');
if (patFile !== undefined && !existsSync(patFile)) fail(`--pat-file: cannot read ${patFile}`);

const organization = `sign-in-test-${randomBytes(4).toString('hex')}`;
const client = issuer && new ManagementClient(issuer.replace(/\/$/, ''), tokenFromFile(patFile));
const before = await lifetimes();
// Ctrl+C ends the tests, not this program, which takes away what they leave.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
const jest = ['node_modules/jest/bin/jest.js', '--runInBand', '--verbose', 'test/zitadel.spec.ts'];
const tests = spawn(process.execPath, jest, {
  stdio: 'inherit',
  env: {
    ...process.env,
    ...(client && {
      ZITADEL_TEST_ISSUER: client.issuer,
      ZITADEL_TEST_PAT_FILE: patFile,
      ZITADEL_TEST_ORGANIZATION: organization,
    }),
  },
});
const [status] = await once(tests, 'exit');
if (client) await restore();
process.exitCode = status ?? 1;

/** `undefined` where the token may not read them. */
async function lifetimes() {
  const fields = [
    ...['accessTokenLifetime', 'idTokenLifetime'],
    ...['refreshTokenIdleExpiration', 'refreshTokenExpiration'],
  ];
  const settings = z.object(Object.fromEntries(fields.map((field) => [field, z.string()])));
  return client
    ?.get('/admin/v1/settings/oidc', z.object({ settings }))
    .then((answer) => answer.settings)
    .catch(() => undefined);
}

async function restore() {
  const nothing = z.object({});
  const after = await lifetimes();
  if (JSON.stringify(after) !== JSON.stringify(before))
    await client.put('/admin/v1/settings/oidc', before, nothing);
  const queries = [{ nameQuery: { name: organization, method: 'TEXT_QUERY_METHOD_EQUALS' } }];
  const list = z.object({ result: z.array(z.object({ id: z.string() })).default([]) });
  const service = 'org.v2.OrganizationService';
  for (const { id } of (await client.call(`${service}/ListOrganizations`, { queries }, list)).result)
    await client.call(`${service}/DeleteOrganization`, { organizationId: id }, nothing);
}

function fail(sentence) {
  console.error(sentence);
  process.exit(2);
}
