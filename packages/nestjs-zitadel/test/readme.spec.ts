import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { defaultIds, startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser } from '../../../test/support/browser.js';
import { freePort } from '../../../test/support/free-port.js';
import { listens, startRedis, type RunningRedis } from '../../../test/support/redis.js';
import { runProgram, type RunningProgram } from '../../../test/support/run-program.js';
import { serviceUserTokens } from '../../../test/support/service-user-tokens.js';
import { choose } from '../../../test/support/sign-in.js';
import { until } from '../../../test/support/until.js';

const readme = readFileSync('packages/nestjs-zitadel/README.md', 'utf8');
const samples = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'readme-')));
const programs: RunningProgram[] = [];
let sandbox: Sandbox;
let redis: RunningRedis;
let origin: string;
let apiOrigin: string;

/** Compiles the samples in a project of their own, as the README describes, and starts them on free ports. */
beforeAll(async () => {
  const ports = [await freePort(), await freePort()];
  [origin, apiOrigin] = ports.map((port) => `http://localhost:${port}`) as [string, string];
  const web = {
    redirectUris: [`${origin}/auth/callback`],
    postLogoutRedirectUris: [`${origin}/auth/logout/callback`],
  };
  sandbox = await startSandbox({ web, keyFolder: folder });
  redis = await startRedis();
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  mkdirSync(join(folder, 'src'));
  samples.forEach((code, index) => {
    const placed = code
      .replaceAll('http://localhost:8080', sandbox.issuer)
      .replaceAll(/\b3000\b/g, String(ports[0]))
      .replaceAll(/\b3001\b/g, String(ports[1]));
    writeFileSync(join(folder, `src/sample-${index}.ts`), placed);
  });
  const settings = {
    extends: resolve('tsconfig.base.json'),
    compilerOptions: { rootDir: 'src', outDir: 'dist', typeRoots: [resolve('node_modules/@types')] },
    include: ['src'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const compiled = spawnSync(resolve('node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
  expect(compiled.stdout).toBe('');
}, 180_000);

afterAll(async () => {
  for (const program of programs) await program.stop();
  await redis.stop();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

async function start(sample: number, env: Record<string, string> = {}): Promise<RunningProgram> {
  const program = runProgram(process.execPath, [`dist/sample-${sample}.js`], env, folder);
  programs.push(program);
  await program.says('successfully started');
  // Nest logs this before it listens.
  await listens(Number(env['PORT'] ?? new URL(sample === 1 ? apiOrigin : origin).port));
  return program;
}

/** Signs in from a guarded page through the sign-in page of Auth.js. */
async function signIn(browser: Browser, page: string, loginName: string) {
  const signInPage = await browser.get(page);
  const people = await browser.submit(signInPage, 'form[action$="/auth/signin/zitadel"]');
  return choose(browser, people, loginName);
}

async function signOut(browser: Browser) {
  return browser.submit(await browser.get('/auth/signout'), 'form[action$="/auth/signout"]');
}

describe('the first sample of the README', () => {
  beforeAll(() => start(0));

  it('uses the client ID of the sandbox', () => {
    expect(samples[0]).toContain(`clientId: '${defaultIds.web}'`);
  });

  it('has twenty lines at most besides its imports', () => {
    const lines = (samples[0] ?? '').split('\n').filter((line) => line && !line.startsWith('import'));
    expect(lines.length).toBeLessThanOrEqual(20);
  });

  it('signs a user in and out', async () => {
    const browser = new Browser(origin);
    const page = await signIn(browser, '/', 'bob@acme.example');
    expect([page.url.href, page.text]).toEqual([`${origin}/`, 'Hello Bob Baker']);
    await signOut(browser);
    expect((await browser.get('/')).url.pathname).toBe('/auth/signin');
  });

  it('opens a route to users with its role and returns 403 to others', async () => {
    const alice = await signIn(new Browser(origin), '/admin', 'alice@acme.example');
    expect([alice.url.pathname, alice.status]).toEqual(['/admin', 200]);
    expect(JSON.parse(alice.text)).toContain('admin');
    const bob = await signIn(new Browser(origin), '/admin', 'bob@acme.example');
    expect([bob.url.pathname, bob.status]).toEqual(['/admin', 403]);
  });

  it('returns 401 to a program', async () => {
    expect((await fetch(origin)).status).toBe(401);
  });

  it('logs no error and no warning', () => {
    expect(programs[0]?.output()).not.toMatch(/ERROR|WARN/);
  });
});

describe('the API sample of the README', () => {
  beforeAll(() => start(1));

  const caller = (headers: Record<string, string>) => fetch(`${apiOrigin}/caller`, { headers });

  it('accepts a token of Zitadel and returns its caller', async () => {
    const scope = `openid urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;
    const { access_token: token } = await serviceUserTokens(sandbox, scope);
    const answer = await caller({ authorization: `Bearer ${token}` });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ clientId: 'robot@acme.example', roles: ['viewer'] });
  });

  it('returns 401 with a challenge without a valid token', async () => {
    for (const headers of [{}, { authorization: 'Bearer nonsense' }]) {
      const answer = await caller(headers);
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringMatching(/^Bearer/),
      ]);
    }
  });
});

describe('the sample of the README for several instances', () => {
  it('ends a session on all instances and notifies the observer', async () => {
    await Promise.all(programs.splice(0).map((program) => program.stop()));
    const otherPort = String(await freePort());
    const [one] = await Promise.all(
      [{}, { PORT: otherPort }].map((env) => start(2, { REDIS_URL: redis.url, ...env })),
    );
    const browser = new Browser(origin);
    await signIn(browser, '/', 'bob@acme.example');
    const cookie = await browser.cookieHeader();
    const elsewhere = () => fetch(`http://localhost:${otherPort}/`, { headers: { cookie } });
    expect(await (await elsewhere()).text()).toBe('Hello Bob Baker');
    await signOut(browser);
    await until(async () => (await elsewhere()).status === 401);
    const { id } = sandbox.users.find(({ loginName }) => loginName === 'bob@acme.example') ?? {};
    await one?.says('A user signed in');
    await one?.says(`User ${id} signed in`);
    await one?.says(`User ${id} signed out (user): done`);
  }, 40_000);
});

describe('the tables of the README', () => {
  const source = ts.createSourceFile(
    'options.ts',
    readFileSync('packages/nestjs-zitadel/src/zitadel.options.ts', 'utf8'),
    ts.ScriptTarget.Latest,
  );
  const membersOf = (name: string) =>
    source.statements
      .filter(ts.isInterfaceDeclaration)
      .filter((declared) => declared.name.text === name)
      .flatMap(({ members }) => members.map((member) => (member.name as ts.Identifier).text));
  const rowsBelow = (heading: string) => {
    const [, section = ''] = readme.split(`## ${heading}\n`);
    return [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  };

  it('name every option of both modules', () => {
    const shared = membersOf('ZitadelConnectionOptions');
    expect(shared.length).toBeGreaterThan(0);
    expect(rowsBelow('Options of `ZitadelModule`').sort()).toEqual(
      [...shared, ...membersOf('ZitadelOptions')].sort(),
    );
    expect(rowsBelow('Options of `ZitadelApiModule`').sort()).toEqual(membersOf('ZitadelApiOptions').sort());
  });
});
