// `npm run test:zitadel -- --issuer URL --pat-file FILE`: the main job against any Zitadel (test/zitadel.spec.ts).
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

let values;
try {
  ({ values } = parseArgs({ options: { issuer: { type: 'string' }, 'pat-file': { type: 'string' } } }));
} catch (error) {
  fail(error.message);
}
const { issuer, 'pat-file': patFile } = values;
if ((issuer === undefined) !== (patFile === undefined))
  fail('--issuer and --pat-file: give both, or none for a sandbox');
if (issuer !== undefined && !/^https?:\/\/[^/?#]+\/?$/.test(issuer))
  fail('--issuer: expected an address without a path, such as https://my.zitadel.example');
if (patFile !== undefined && !existsSync(patFile)) fail(`--pat-file: cannot read ${patFile}`);

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];
const { status } = spawnSync(
  process.execPath,
  [...jest, '--runInBand', '--verbose', 'test/zitadel.spec.ts'],
  {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...(issuer === undefined
        ? {}
        : { ZITADEL_TEST_ISSUER: issuer.replace(/\/$/, ''), ZITADEL_TEST_PAT_FILE: patFile }),
    },
  },
);
process.exitCode = status ?? 1;

function fail(sentence) {
  console.error(sentence);
  process.exit(2);
}
