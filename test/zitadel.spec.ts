// `npm run test:zitadel -- --issuer URL --pat-file FILE`: the main job against any Zitadel, in an organization of its own that is
// deleted afterwards. Without them, as in `npm test`, an empty sandbox is the Zitadel, first with login pages and then without.
import { createHash, createPrivateKey, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'dotenv';
import { importPKCS8, SignJWT } from 'jose';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { runSetup, type SetupDocument } from 'zitadel-setup';
import { startChromium } from './support/chromium.js';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { ThrowAway, type Person, type ServiceUser } from './support/throw-away.js';
import { until } from './support/until.js';
import { ZitadelLogin } from './support/zitadel-login.js';

const given = process.env['ZITADEL_TEST_ISSUER'];

/** Tokens of a real Zitadel have to outlive its delays. */
const ACCESS_TOKEN_SECONDS = given ? 20 : 5;

/** Longer than any delay of a real Zitadel: projections, two rejections of an access token, back-channel logout. */
const LIMIT_MS = 45_000;

const BEGIN_MS = 180_000;
const END_MS = 60_000;

let folder = '';
let envFile = '';
const programs: RunningProgram[] = [];
const seen: [string, string][] = [];

let issuer = given ?? '';
let patFile = process.env['ZITADEL_TEST_PAT_FILE'] ?? '';
let organization: ThrowAway | undefined;
let login: ZitadelLogin;
/** how the last sign-in was made */
let signedInBy = '';
let web = '';
let api = '';
let environment: Record<string, string> = {};
let admin: Person;
let reader: Person;
let robot: ServiceUser;
let chromium: Browser | undefined;
let page: Page;
let hasShortTokens = false;

/** Sets everything up: a sandbox with these options unless a Zitadel is given, the organization, the programs and the browser. */
async function begin(...sandboxOptions: string[]): Promise<void> {
  folder = mkdtempSync(join(tmpdir(), 'zitadel-'));
  envFile = join(folder, 'app.env');
  if (!given) await startEmptySandbox(sandboxOptions);
  organization = await ThrowAway.create(issuer, patFile);
  login = new ZitadelLogin(organization.client);
  web = `http://localhost:${await freePort()}`;
  api = `http://localhost:${await freePort()}`;
  [admin, reader] = [await organization.person('Alice'), await organization.person('Bob')];
  robot = await organization.serviceUser();
  await setUp();
  environment = parse(readFileSync(envFile));
  hasShortTokens = await organization.shortenAccessTokens(ACCESS_TOKEN_SECONDS);
  await startPrograms();
  chromium = await startChromium();
}

/** Takes everything away again, and prints what was seen. */
async function end(): Promise<void> {
  await chromium?.close();
  const sandbox = given ? undefined : programs.shift();
  for (const program of programs) await program.stop();
  await organization?.remove();
  const isGone =
    organization !== undefined && (await waitedFor(async () => !(await organization?.isThere())));
  seen.push(['Everything is deleted', isGone ? `organization ${organization?.name}` : 'no']);
  await sandbox?.stop();
  programs.length = 0;
  rmSync(folder, { recursive: true });
  const width = Math.max(...seen.map(([step]) => step.length));
  process.stdout.write(
    `\n${issuer}\n${seen.map(([step, text]) => `  ${step.padEnd(width)}  ${text}\n`).join('')}\n`,
  );
  seen.length = 0;
  if (organization) expect(isGone).toBe(true);
}

describe('Against a Zitadel', () => {
  beforeAll(() => begin(), BEGIN_MS);
  afterAll(end, END_MS);

  it('a second set-up changes nothing', async () => {
    const { created, changed, files } = await setUp();
    expect([created, changed, files]).toEqual([[], [], []]);
    seen.push(['A second set-up', 'changes nothing']);
  });

  it('a user signs in with the password and sees name and role', showsNameAndRole);

  it('the doctor finds nothing wrong but a missing login page', findsNothingWrong);

  it('a role opens a page to the user who has it, and to no other', async () => {
    expect(await statusOf(page, '/admin')).toBe(200);
    const other = await signIn(reader);
    expect(await statusOf(other, '/admin')).toBe(403);
    await other.context().close();
    seen.push(['Page for the role admin', '200 with it, 403 without it']);
  });

  it('userinfo has the roles and the organization', async () => {
    const claims = (await (await page.request.get(`${web}/auth/userinfo`)).json()) as Record<string, unknown>;
    expect(claims).toMatchObject({ sub: admin.id, name: 'Alice Test' });
    expect(Object.keys(claims['urn:zitadel:iam:org:project:roles'] as object)).toEqual(['admin']);
    expect(claims['urn:zitadel:iam:user:resourceowner:id']).toBe(organization?.id);
    seen.push(['Userinfo', 'name, roles and organization']);
  });

  it(
    'parallel requests share one refresh of the tokens',
    async () => {
      if (!hasShortTokens) {
        seen.push(['Refresh', 'not tried: the token may not shorten the lifetime of access tokens']);
        return;
      }
      const before = await refreshes();
      // Due before the end; a request while it is due, and the next expiry not yet reached.
      await until(async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => statusOf(page, '/profile')));
        expect(answers).toEqual(Array(20).fill(200));
        await pause(250);
        return (await refreshes()) > before;
      }, LIMIT_MS);
      expect(await refreshes()).toBe(before + 1);
      seen.push(['Refresh', 'one for 20 parallel requests']);
    },
    LIMIT_MS + 20_000,
  );

  it('the API accepts the token of the user', async () => {
    await page.goto(`${web}/profile`);
    await page.getByRole('button', { name: 'Call the API' }).click();
    await page.getByText('Hello World!').waitFor();
    seen.push(["The API, a user's token", '200']);
  });

  it('the API accepts tokens of a service user by secret, by key and a personal access token, and no other token', async () => {
    const tokens = {
      secret: await tokenBySecret(),
      key: await tokenByKey(),
      'personal access token': robot.personalAccessToken,
    };
    const statuses = await Promise.all(Object.values(tokens).map((token) => statusOfApi(token)));
    expect(statuses).toEqual([200, 200, 200]);
    expect([
      await statusOfApi(),
      await statusOfApi('made-up'),
      await statusOfApi(await tokenBySecret('openid')),
    ]).toEqual([401, 401, 401]);
    seen.push(['The API, service tokens', '200 by secret, key and personal access token; 401 for others']);
  });

  it(
    'a role that is taken away closes the page',
    async () => {
      const started = performance.now();
      await organization?.setRoles(admin, String(environment['IDP_PROJECT_ID']), ['reader']);
      await until(async () => (await statusOf(page, '/admin')) === 403, LIMIT_MS);
      seen.push(['A role is taken away', `403 after ${secondsSince(started)}`]);
    },
    LIMIT_MS + 20_000,
  );

  it('a sign-out at another application ends the session', endsElsewhere, LIMIT_MS + 20_000);

  it(
    'a sign-out here ends the session here and at Zitadel, also for a copy of the cookie',
    async () => {
      page = await signIn(admin);
      const copy = (await page.context().cookies(web))
        .map(({ name, value }) => `${name}=${value}`)
        .join('; ');
      await page.goto(`${web}/profile`);
      await page.getByRole('button', { name: 'Log out', exact: true }).first().click();
      await page.waitForURL(`${web}/auth/logout/success**`);
      const copied = await fetch(`${web}/auth/session`, { headers: { cookie: copy } });
      expect(await copied.json()).toBeNull();
      // fails where Zitadel has no login page
      await page.goto(authorizeAddress('none').href).catch(() => undefined);
      expect(new URL(page.url()).searchParams.get('code')).toBeNull();
      seen.push(['Sign-out here', 'ends the session here and at Zitadel']);
      await page.context().close();
    },
    LIMIT_MS,
  );

  it(
    'the session of a user who is deactivated ends',
    async () => {
      page = await signIn(admin);
      const started = performance.now();
      await organization?.deactivate(admin);
      await until(() => isSignedOut(page), LIMIT_MS);
      seen.push(['A user is deactivated', `the session ends after ${secondsSince(started)}`]);
    },
    LIMIT_MS + 20_000,
  );
});

if (!given)
  describe.each([
    ['answers 404', () => []],
    ['is not there', async () => ['--login-origin', `http://127.0.0.1:${await freePort()}`]],
  ])('Against a Zitadel whose login page %s', (_how, options) => {
    beforeAll(async () => begin('--no-login-pages', ...(await options())), BEGIN_MS);
    afterAll(end, END_MS);

    it('a user signs in through the session API and sees name and role', async () => {
      await showsNameAndRole();
      expect(signedInBy).toBe('session API');
    });

    it('the doctor finds nothing wrong but the missing login page', findsNothingWrong);

    it('a sign-out at another application ends the session', endsElsewhere, LIMIT_MS + 20_000);
  });

async function showsNameAndRole(): Promise<void> {
  page = await signIn(admin);
  expect(page.url()).toBe(`${web}/profile`);
  const text = await page.textContent('body');
  expect(text).toContain('Alice Test');
  expect(text).toContain('admin');
  seen.push(['Sign-in', `${signedInBy}; the profile shows name and role`]);
}

async function findsNothingWrong(): Promise<void> {
  const args = ['--', 'scripts/doctor.mjs', '--env-file', envFile];
  const doctor = runProgram(process.execPath, args, {}, resolve('.'));
  const status = await doctor.exit;
  const wrong = [...doctor.output().matchAll(/^wrong +(\S+)/gm)].map(([, id]) => id);
  const hasPage = signedInBy !== 'session API';
  expect([status, wrong]).toEqual(hasPage ? [0, []] : [1, ['login-ui']]);
  seen.push(['The doctor', hasPage ? 'finds nothing wrong' : 'finds that there is no login page']);
}

async function endsElsewhere(): Promise<void> {
  const idToken = await idTokenOfOtherApplication(page.context());
  const started = performance.now();
  const endSession = new URL(`${issuer}/oidc/v1/end_session`);
  endSession.searchParams.set('id_token_hint', idToken);
  await fetch(endSession, { redirect: 'manual' });
  await until(() => isSignedOut(page), LIMIT_MS);
  const how = (await metric('logouts_total', 'back-channel')) > 0 ? 'back-channel logout' : 'userinfo';
  seen.push([
    'Sign-out at another application',
    `ends the session after ${secondsSince(started)}, by ${how}`,
  ]);
  await page.context().close();
}

async function startEmptySandbox(options: string[]): Promise<void> {
  const port = await freePort();
  issuer = `http://localhost:${port}`;
  patFile = join(folder, 'admin.pat');
  const args = [
    'packages/zitadel-sandbox/dist/main.js',
    '--empty',
    '--port',
    String(port),
    '--pat-file',
    patFile,
    ...options,
  ];
  const sandbox = runProgram(process.execPath, args, {}, resolve('.'));
  programs.push(sandbox);
  await sandbox.says('listening on');
  expect(existsSync(patFile)).toBe(true);
}

/** Runs the set-up of `npm run setup`. */
async function setUp(): Promise<SetupDocument> {
  let document = '';
  let said = '';
  const options = {
    issuer,
    'pat-file': patFile,
    organization: String(organization?.name),
    project: 'Sign-in test',
    'web-origin': web,
    'api-origin': api,
    roles: 'admin,reader',
    'env-file': envFile,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const grants = ['--grant', `${admin.loginName}=admin`, '--grant', `${reader.loginName}=reader`];
  const status = await runSetup([...args, ...grants, '--back-channel', '--yes', '--json'], {
    stdout: { write: (text) => (document += text) },
    stderr: { write: (text) => (said += text) },
    isInteractive: false,
    ask: () => Promise.resolve(''),
  });
  if (status !== 0) throw new Error(said);
  return JSON.parse(document) as SetupDocument;
}

async function startPrograms(): Promise<void> {
  const env = { ...environment, SESSION_CLAIMS_MAX_AGE: '2', LOG_LEVEL: 'warn', AUTH_RATE_LIMIT: '0' };
  for (const [program, address] of [
    ['dist/main.js', `${web}/health/ready`],
    ['dist/api/main.js', `${api}/health/ready`],
  ] as const) {
    programs.push(runProgram(process.execPath, [resolve(program)], env));
    await until(async () => (await fetch(address).catch(() => undefined))?.status === 200);
  }
}

/** Signs in with a new browser, so that Zitadel asks for the password. */
async function signIn(person: Person): Promise<Page> {
  const context = await (chromium as Browser).newContext({ locale: 'en-US' });
  const opened = await context.newPage();
  opened.setDefaultTimeout(LIMIT_MS);
  await opened.goto(`${web}/auth/login`);
  const button = opened.getByText('Continue with Zitadel', { exact: true }).first();
  signedInBy = await login.signIn(opened, person, web, () => button.click());
  return opened;
}

async function statusOf(opened: Page, path: string): Promise<number> {
  return (await opened.request.get(web + path, { headers: { accept: 'text/html' } })).status();
}

/** A guarded page reads the user again from Zitadel. */
async function isSignedOut(opened: Page): Promise<boolean> {
  await statusOf(opened, '/profile');
  return (await (await opened.request.get(`${web}/auth/session`)).json()) === null;
}

async function statusOfApi(token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await fetch(`${api}/api/v1/app`, { headers })).status;
}

const apiScope = () => `openid urn:zitadel:iam:org:project:id:${environment['IDP_PROJECT_ID']}:aud`;

const tokenBySecret = (scope = apiScope()) =>
  accessToken({
    grant_type: 'client_credentials',
    client_id: robot.loginName,
    client_secret: robot.secret,
    scope,
  });

async function tokenByKey(): Promise<string> {
  const { keyId, key, userId } = robot.key;
  const pkcs8 = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem' }).toString();
  const assertion = await new SignJWT()
    .setProtectedHeader({ alg: 'RS256', kid: keyId })
    .setIssuer(userId)
    .setSubject(userId)
    .setAudience(issuer)
    .setIssuedAt(Math.floor(Date.now() / 1000) - 30)
    .setExpirationTime('5m')
    .sign(await importPKCS8(pkcs8, 'RS256'));
  const grant = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  return accessToken({ grant_type: grant, assertion, scope: apiScope() });
}

async function accessToken(form: Record<string, string>): Promise<string> {
  return String((await tokens(form))['access_token']);
}

async function tokens(form: Record<string, string>): Promise<Record<string, unknown>> {
  const answer = await fetch(`${issuer}/oauth/v2/token`, { method: 'POST', body: new URLSearchParams(form) });
  return (await answer.json()) as Record<string, unknown>;
}

const verifier = randomBytes(32).toString('base64url');
const otherApplication = () => ({
  client_id: String(environment['API_SWAGGER_CLIENT_ID']),
  redirect_uri: `${api}/api/oauth2-redirect.html`,
});

/** The Swagger UI is another application of the project, with a redirect URI of the API. */
function authorizeAddress(prompt?: string): URL {
  const address = new URL(`${issuer}/oauth/v2/authorize`);
  const query = {
    ...otherApplication(),
    response_type: 'code',
    scope: 'openid',
    state: 'state',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...(prompt === undefined ? {} : { prompt }),
  };
  for (const [name, value] of Object.entries(query)) address.searchParams.set(name, value);
  return address;
}

/** The user is signed in at Zitadel, which does not ask again. */
async function idTokenOfOtherApplication(context: BrowserContext): Promise<string> {
  const other = await context.newPage();
  other.setDefaultTimeout(LIMIT_MS);
  await login.signIn(other, admin, api, () => other.goto(authorizeAddress().href));
  const code = String(new URL(other.url()).searchParams.get('code'));
  const form = { grant_type: 'authorization_code', code, code_verifier: verifier, ...otherApplication() };
  return String((await tokens(form))['id_token']);
}

/** The sum of a counter of the web application. */
async function metric(name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${web}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const refreshes = () => metric('refreshes_total', 'renewed');

const secondsSince = (started: number) => `${((performance.now() - started) / 1000).toFixed(1)} s`;

async function waitedFor(isSo: () => Promise<boolean>): Promise<boolean> {
  return until(isSo, LIMIT_MS / 2).then(
    () => true,
    () => false,
  );
}
