import { startApp } from './support/app.mjs';
import { rounded } from './support/numbers.mjs';
import { startProgram } from './support/programs.mjs';

export const question = 'What does reading a session cost?';
export const about =
  'CPU time of one `SessionService.load()` in the assembled application, all threads counted: of a cookie this process has never seen, and of one it has. Median and fastest of twelve batches: depending on its phase, the garbage collector adds up to a half.';

const UNSEEN_GOAL_US = 150;
const SEEN_GOAL_US = 15;

const roles = Array.from({ length: 100 }, (_, index) => `role-${index}`);
const manyRoles = 'many-roles@acme.example';

const cases = [
  { name: 'opaque tokens', loginName: 'alice@acme.example', sandbox: {} },
  {
    name: 'JWT tokens, 100 roles',
    loginName: manyRoles,
    sandbox: {
      users: [{ loginName: manyRoles, givenName: 'Many', familyName: 'Roles', email: manyRoles, roles }],
      web: {
        accessTokenType: 'jwt',
        idTokenUserinfo: true,
        idTokenRoleAssertion: true,
        accessTokenRoleAssertion: true,
      },
    },
  },
];

export async function answer() {
  const results = [];
  for (const { name, loginName, sandbox } of cases) {
    results.push({ name, ...(await measured(loginName, sandbox)) });
  }
  const [opaque] = results;
  return {
    rows: results.map((result) => ({
      '': result.name,
      'unseen, CPU µs': rounded(result.unseenUs, 1),
      'unseen, fastest': rounded(result.fastestUnseenUs, 1),
      'seen before, CPU µs': rounded(result.seenUs, 1),
      'seen before, fastest': rounded(result.fastestSeenUs, 1),
      'Set-Cookie bytes': result.cookieBytes,
    })),
    goals: [
      {
        name: 'reading an unseen session (opaque tokens), CPU µs',
        measured: opaque.unseenUs,
        atMost: UNSEEN_GOAL_US,
        digits: 1,
      },
      {
        name: 'reading a session seen before (opaque tokens), CPU µs',
        measured: opaque.seenUs,
        atMost: SEEN_GOAL_US,
        digits: 1,
      },
    ],
  };
}

async function measured(loginName, sandboxOptions) {
  const app = await startApp(sandboxOptions);
  try {
    const cookie = await app.browser().signIn(app.origin, loginName);
    const reader = startProgram('bench/support/session-read.program.mjs', { core: 'server' });
    try {
      return await reader.call('measure', { env: app.env, cookie });
    } finally {
      await reader.stop();
    }
  } finally {
    await app.stop();
  }
}
