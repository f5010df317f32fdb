import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { applicationNamed, manage, updateApplication } from './support/manage.js';
import { documentOf, SetupFolder } from './support/set-up.js';

let sandbox: Sandbox;
let folder: SetupFolder;

beforeEach(async () => {
  sandbox = await startSandbox({ empty: true });
  folder = new SetupFolder(sandbox);
});
afterEach(async () => {
  await sandbox.close();
  rmSync(folder.path, { recursive: true });
});

const made = [
  'project nestjs-zitadel',
  'role admin',
  'application Web application',
  'application API',
  'application Swagger UI',
  'application Command line',
  'key of application API',
];
const grant = ['--grant', 'alice@acme.example=admin'];
const granted = 'role assignment alice@acme.example=admin';

describe('The first run', () => {
  it('It makes everything and writes the env file and the key file for their owner alone', async () => {
    const document = await folder.document(grant);
    const keyFile = `${folder.envFile}.api-key.json`;
    expect(document).toEqual({
      created: [...made, granted],
      changed: [],
      unchanged: [],
      files: [keyFile, folder.envFile],
    });
    for (const path of [folder.envFile, keyFile]) expect(statSync(path).mode & 0o777).toBe(0o600);
    const web = await applicationNamed(sandbox, 'Web application');
    const { SESSION_SECRET, SESSION_SALT, ...environment } = folder.environment;
    expect(SESSION_SECRET).toMatch(/^[0-9a-f]{64}$/);
    expect(SESSION_SALT).toMatch(/^[0-9a-f]{64}$/);
    expect(environment).toEqual({
      PORT: '3000',
      APP_PORT: '3001',
      ZITADEL_DOMAIN: sandbox.issuer,
      ZITADEL_CLIENT_ID: web.oidcConfiguration.clientId,
      ZITADEL_CALLBACK_URL: 'http://localhost:3000/auth/callback',
      ZITADEL_POST_LOGOUT_URL: 'http://localhost:3000/auth/logout/callback',
      ZITADEL_API_KEY_FILE: keyFile,
      IDP_PROJECT_ID: web.projectId,
      API_URL: 'http://localhost:3001',
      API_SWAGGER_CLIENT_ID: expect.stringMatching(/^\d{18}$/),
      ZITADEL_CLI_CLIENT_ID: expect.stringMatching(/^\d{18}$/),
    });
  });

  it('It makes each application for its use', async () => {
    await folder.run();
    const web = await applicationNamed(sandbox, 'Web application');
    expect(web.oidcConfiguration).toMatchObject({
      redirectUris: ['http://localhost:3000/auth/callback'],
      postLogoutRedirectUris: ['http://localhost:3000/auth/logout/callback'],
      grantTypes: ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE', 'OIDC_GRANT_TYPE_REFRESH_TOKEN'],
      authMethodType: 'OIDC_AUTH_METHOD_TYPE_NONE',
    });
    const swagger = await applicationNamed(sandbox, 'Swagger UI');
    expect(swagger.oidcConfiguration).toMatchObject({
      redirectUris: ['http://localhost:3001/api/oauth2-redirect.html'],
      applicationType: 'OIDC_APP_TYPE_USER_AGENT',
      developmentMode: true,
    });
    const commandLine = await applicationNamed(sandbox, 'Command line');
    expect(commandLine.oidcConfiguration).toMatchObject({
      applicationType: 'OIDC_APP_TYPE_NATIVE',
      grantTypes: ['OIDC_GRANT_TYPE_DEVICE_CODE', 'OIDC_GRANT_TYPE_REFRESH_TOKEN'],
    });
    const body = new URLSearchParams({ client_id: commandLine.oidcConfiguration.clientId, scope: 'openid' });
    const device = await fetch(`${sandbox.issuer}/oauth/v2/device_authorization`, { method: 'POST', body });
    expect(device.status).toBe(200);
  });

  it('It shows in a dry run what it would do, and does nothing', async () => {
    const { status, stdout } = await folder.run(['--dry-run', ...grant]);
    expect(status).toBe(0);
    expect(stdout.split('\n').filter((line) => line.startsWith('+ '))).toHaveLength(made.length + 2);
    expect(stdout).toContain(`+ file ${folder.envFile}`);
    expect(folder.commands).toEqual([]);
    expect(existsSync(folder.envFile)).toBe(false);
    const { dryRun, created, files } = documentOf(await folder.run(['--dry-run', '--json']));
    expect({ dryRun, created, files }).toEqual({ dryRun: true, created: made, files: [] });
  });

  it('It takes the ports of origins on this machine, and leaves them alone for others', async () => {
    await folder.run(['--web-origin', 'http://localhost:4000', '--api-origin', 'https://api.example.com']);
    expect(folder.environment).toMatchObject({
      PORT: '4000',
      API_URL: 'https://api.example.com',
      ZITADEL_CALLBACK_URL: 'http://localhost:4000/auth/callback',
    });
    expect(folder.environment).not.toHaveProperty('APP_PORT');
    const swagger = await applicationNamed(sandbox, 'Swagger UI');
    expect(swagger.oidcConfiguration).not.toHaveProperty('developmentMode');
  });

  it('It never writes the token to the env file or to its output', async () => {
    const { stdout, stderr } = await folder.run(['--json', ...grant]);
    const token = sandbox.personalAccessToken ?? '';
    for (const text of [stdout, stderr, readFileSync(folder.envFile, 'utf8')])
      expect(text).not.toContain(token);
    const { key } = JSON.parse(readFileSync(`${folder.envFile}.api-key.json`, 'utf8')) as { key: string };
    expect(stdout + stderr).not.toContain(key.split('\n')[1]);
  });
});

describe('The second run', () => {
  beforeEach(async () => {
    await folder.run(grant);
  });

  it('It changes nothing and says so', async () => {
    const before = readFileSync(folder.envFile);
    const commands = folder.commands.length;
    const { status, stdout } = await folder.run(grant);
    expect(status).toBe(0);
    expect(stdout).toContain('nothing was changed');
    expect(stdout).not.toMatch(/^[+~]/m);
    expect(await folder.document(grant)).toEqual({
      created: [],
      changed: [],
      unchanged: [...made, granted],
      files: [],
    });
    expect(folder.commands).toHaveLength(commands);
    expect(readFileSync(folder.envFile)).toEqual(before);
    expect(existsSync(`${folder.envFile}.bak`)).toBe(false);
  });

  it('It needs neither an issuer nor a question, because the env file has the answers', async () => {
    const patFile = join(folder.path, 'admin.pat');
    const { status, stdout } = await folder.runWith(['--pat-file', patFile]);
    expect([status, stdout.includes('nothing was changed')]).toEqual([0, true]);
  });

  it('It repairs what it owns and leaves alone what it does not', async () => {
    await updateApplication(sandbox, 'Web application', {
      oidcConfiguration: {
        redirectUris: ['https://other.example.com/callback'],
        grantTypes: ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE'],
        authMethodType: 'OIDC_AUTH_METHOD_TYPE_BASIC',
        loginVersion: { loginV1: {} },
      },
    });
    const { projectId } = await applicationNamed(sandbox, 'Web application');
    await manage(sandbox, 'project.v2.ProjectService/UpdateProject', {
      projectId,
      projectRoleAssertion: false,
    });
    const role = { projectId, roleKey: 'guest', displayName: 'Guest' };
    await manage(sandbox, 'project.v2.ProjectService/AddProjectRole', role);
    await manage(sandbox, 'authorization.v2.AuthorizationService/CreateAuthorization', {
      userId: '320000000000000012',
      projectId,
      organizationId: '320000000000000001',
      roleKeys: ['guest'],
    });
    const document = await folder.document(grant);
    expect(document.changed).toEqual(['project nestjs-zitadel', 'application Web application']);
    expect([document.created, document.files]).toEqual([[], []]);
    const { oidcConfiguration } = await applicationNamed(sandbox, 'Web application');
    expect(oidcConfiguration).toMatchObject({
      redirectUris: ['https://other.example.com/callback', 'http://localhost:3000/auth/callback'],
      grantTypes: ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE', 'OIDC_GRANT_TYPE_REFRESH_TOKEN'],
      authMethodType: 'OIDC_AUTH_METHOD_TYPE_NONE',
      loginVersion: { loginV1: {} },
    });
    const { projectRoles } = await manage(sandbox, 'project.v2.ProjectService/ListProjectRoles', {
      projectId,
    });
    expect(JSON.stringify(projectRoles)).toContain('guest');
    const bob = sandbox.users.find(({ loginName }) => loginName === 'bob@acme.example');
    expect(bob?.authorizations.map(({ roles }) => roles)).toEqual([['guest']]);
  });

  it('It adds a role to those that a person has', async () => {
    const document = await folder.document(['--grant', 'alice@acme.example=reader']);
    expect(document.created).toEqual(['role reader']);
    expect(document.changed).toEqual(['role assignment alice@acme.example=reader']);
    const alice = sandbox.users.find(({ loginName }) => loginName === 'alice@acme.example');
    expect(alice?.authorizations.map(({ roles }) => roles)).toEqual([['admin', 'reader']]);
  });

  it('It activates an application and a role assignment that were deactivated', async () => {
    const { applicationId, projectId } = await applicationNamed(sandbox, 'API');
    const ids = { applicationId, projectId };
    await manage(sandbox, 'application.v2.ApplicationService/DeactivateApplication', ids);
    const { authorizations } = await manage<{ authorizations: { id: string }[] }>(
      sandbox,
      'authorization.v2.AuthorizationService/ListAuthorizations',
      {},
    );
    await manage(sandbox, 'authorization.v2.AuthorizationService/DeactivateAuthorization', {
      id: authorizations[0]?.id,
    });
    expect((await folder.document(grant)).changed).toEqual(['application API', granted]);
    expect((await applicationNamed(sandbox, 'API')).state).toBe('APPLICATION_STATE_ACTIVE');
  });

  it('It makes a new key when the file is missing, and keeps the other files', async () => {
    rmSync(`${folder.envFile}.api-key.json`);
    const document = await folder.document(grant);
    expect(document.created).toEqual(['key of application API']);
    expect(document.files).toEqual([`${folder.envFile}.api-key.json`]);
  });

  it('It makes a new key when Zitadel does not know the one in the file, or it has expired', async () => {
    const { applicationId, projectId } = await applicationNamed(sandbox, 'API');
    const keyFile = `${folder.envFile}.api-key.json`;
    const { keyId } = JSON.parse(readFileSync(keyFile, 'utf8')) as { keyId: string };
    const ids = { applicationId, projectId, keyId };
    await manage(sandbox, 'application.v2.ApplicationService/DeleteApplicationKey', ids);
    expect((await folder.document(grant)).created).toEqual(['key of application API']);
    const expired = await manage<{ keyDetails: string }>(
      sandbox,
      'application.v2.ApplicationService/CreateApplicationKey',
      { applicationId, projectId, expirationDate: new Date(Date.now() + 200).toISOString() },
    );
    const file = Buffer.from(expired.keyDetails, 'base64');
    writeFileSync(keyFile, file);
    let plan = '';
    while (!plan.includes('the key has expired')) plan = (await folder.run(['--dry-run', ...grant])).stdout;
    expect((await folder.document(grant)).created).toEqual(['key of application API']);
    expect(readFileSync(keyFile)).not.toEqual(file);
  });

  it('It keeps the old env file as .env.bak when it writes another', async () => {
    const before = readFileSync(folder.envFile);
    const document = await folder.document([...grant, '--web-origin', 'http://localhost:4000']);
    expect(document.files).toEqual([`${folder.envFile}.bak`, folder.envFile]);
    expect(document.changed).toEqual(['application Web application']);
    expect(readFileSync(`${folder.envFile}.bak`)).toEqual(before);
    expect(folder.environment).toMatchObject({ PORT: '4000' });
  });
});

describe('The env file', () => {
  it('It keeps comments, other variables and their order, and gets no second secret', async () => {
    const secret = 'a'.repeat(20) + 'b'.repeat(20);
    const before = [
      '# My settings',
      `SESSION_SECRET=${secret} # keep`,
      'SESSION_SALT=replace-me-with-a-random-salt',
      'export ZITADEL_CLIENT_ID="old" # the client',
      "OTHER='several\nlines\nZITADEL_DOMAIN=https://not.this.example'",
      'ZITADEL_CLIENT_SECRET=old-secret',
      'IDP_AUTHORIZATION_PROFILE_KEY_ID=old-key',
      'IDP_AUTHORITY=https://old.example.com',
      '',
    ].join('\n');
    writeFileSync(folder.envFile, before);
    await folder.run();
    const after = readFileSync(folder.envFile, 'utf8');
    const { SESSION_SALT = '', ZITADEL_CLIENT_ID = '' } = folder.environment;
    expect(SESSION_SALT).toMatch(/^[0-9a-f]{64}$/);
    const expected = before
      .replace('replace-me-with-a-random-salt', SESSION_SALT)
      .replace('"old"', ZITADEL_CLIENT_ID)
      .replace('old-secret', '')
      .replace('old-key', '')
      .replace('https://old.example.com', sandbox.issuer);
    expect(after.startsWith(expected)).toBe(true);
    expect(folder.environment).toMatchObject({
      SESSION_SECRET: secret,
      OTHER: 'several\nlines\nZITADEL_DOMAIN=https://not.this.example',
      ZITADEL_DOMAIN: sandbox.issuer,
    });
  });

  it('It keeps addresses of its own on the same origin, and those below a base path', async () => {
    writeFileSync(folder.envFile, 'BASE_PATH=/base\nZITADEL_CALLBACK_URL=http://localhost:3000/base/back\n');
    await folder.run(['--back-channel']);
    const { oidcConfiguration } = await applicationNamed(sandbox, 'Web application');
    expect(oidcConfiguration).toMatchObject({
      redirectUris: ['http://localhost:3000/base/back'],
      postLogoutRedirectUris: ['http://localhost:3000/base/auth/logout/callback'],
      backChannelLogoutUri: 'http://localhost:3000/base/auth/backchannel-logout',
    });
  });

  it.each(['/bye', '/auth/logout/callback/', '/auth/logut/callback'])(
    'It registers the address of another path: %s',
    async (path) => {
      writeFileSync(folder.envFile, `ZITADEL_POST_LOGOUT_URL=http://localhost:3000${path}\n`);
      await folder.run();
      const { oidcConfiguration } = await applicationNamed(sandbox, 'Web application');
      expect(oidcConfiguration['postLogoutRedirectUris']).toEqual([`http://localhost:3000${path}`]);
    },
  );

  it('It replaces addresses that the program would refuse: outside the base path, or one for both', async () => {
    const both = 'http://localhost:3000/back';
    const env = (lines: Record<string, string>) =>
      Object.entries(lines)
        .map(([name, value]) => `${name}=${value}\n`)
        .join('');
    writeFileSync(folder.envFile, env({ BASE_PATH: '/base', ZITADEL_CALLBACK_URL: both }));
    await folder.run();
    expect(folder.environment['ZITADEL_CALLBACK_URL']).toBe('http://localhost:3000/base/auth/callback');
    writeFileSync(folder.envFile, env({ ZITADEL_CALLBACK_URL: both, ZITADEL_POST_LOGOUT_URL: both }));
    await folder.run();
    expect(folder.environment).toMatchObject({
      ZITADEL_CALLBACK_URL: both,
      ZITADEL_POST_LOGOUT_URL: 'http://localhost:3000/auth/logout/callback',
    });
  });

  it('It stays as it is when a file cannot be written, and the next run goes on with the key that was made', async () => {
    const before = '# nothing yet\n';
    writeFileSync(folder.envFile, before);
    mkdirSync(`${folder.envFile}.bak`);
    const { status, stderr } = await folder.run();
    expect([status, stderr]).toEqual([1, expect.stringContaining('Could not write')]);
    expect(readFileSync(folder.envFile, 'utf8')).toBe(before);
    expect(readdirSync(folder.path).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    rmdirSync(`${folder.envFile}.bak`);
    const { created, files } = await folder.document();
    expect([created, files]).toEqual([[], [`${folder.envFile}.bak`, folder.envFile]]);
  });

  it('It and the key file keep their content when one of them cannot be written', async () => {
    await folder.run();
    const keyFile = `${folder.envFile}.api-key.json`;
    const before = [folder.envFile, keyFile].map((path) => readFileSync(path, 'utf8'));
    mkdirSync(`${folder.envFile}.bak`);
    const { status } = await folder.run(['--project', 'Another project']);
    expect(status).toBe(1);
    expect([folder.envFile, keyFile].map((path) => readFileSync(path, 'utf8'))).toEqual(before);
    rmdirSync(`${folder.envFile}.bak`);
    await folder.run(['--project', 'Another project']);
    expect(readFileSync(`${keyFile}.bak`, 'utf8')).toBe(before[1]);
  });

  it('It is refused when it is not UTF-8, and keeps its bytes', async () => {
    const bytes = Buffer.from('NOTE=caf\xe9\n', 'latin1');
    writeFileSync(folder.envFile, bytes);
    const { status, stderr } = await folder.run();
    expect([status, stderr]).toEqual([2, expect.stringContaining('is not UTF-8')]);
    expect(readFileSync(folder.envFile)).toEqual(bytes);
  });

  it('Its project is that of the next run, also under another name', async () => {
    await folder.run(['--project', 'Shop']);
    const { IDP_PROJECT_ID, ZITADEL_CLIENT_ID } = folder.environment;
    const { created, changed, files } = await folder.document();
    expect([created, changed, files]).toEqual([[], [], []]);
    expect(folder.environment).toMatchObject({ IDP_PROJECT_ID, ZITADEL_CLIENT_ID });
  });

  it('It is refused when it is not UTF-8, before anything is made', async () => {
    writeFileSync(folder.envFile, Buffer.from('PORT=3000\n', 'utf16le'));
    const { status, stderr } = await folder.run();
    expect([status, stderr.includes('UTF-8')]).toEqual([2, true]);
    expect(sandbox.requests).toEqual([]);
  });
});

describe('Somebody at a terminal', () => {
  it('They are asked for what is missing and once whether to go on, and may decline', async () => {
    const questions: string[] = [];
    const patFile = join(folder.path, 'admin.pat');
    writeFileSync(patFile, sandbox.personalAccessToken ?? '');
    const answers = [sandbox.issuer, patFile, 'n', sandbox.issuer, patFile, 'y'];
    const asked = {
      isInteractive: true,
      ask: (question: string) => {
        questions.push(question);
        return Promise.resolve(answers.shift() ?? '');
      },
    };
    const declined = await folder.runWith([], asked);
    expect([declined.status, existsSync(folder.envFile), folder.commands]).toEqual([1, false, []]);
    expect(questions).toEqual([
      expect.stringContaining('Address of your Zitadel'),
      expect.stringContaining('personal access token'),
      expect.stringContaining('[y/N]'),
    ]);
    expect((await folder.runWith([], asked)).status).toBe(0);
    expect(existsSync(folder.envFile)).toBe(true);
  });
});

describe('A wrong use', () => {
  it.each([
    [
      ['--web-origin', 'http://localhost:3000', '--api-origin', 'http://127.0.0.1:3000'],
      'expected two origins with different ports',
    ],
    [['--api-origin', 'http://api.example.org'], '--api-origin: expected https://'],
    [
      ['--issuer', 'http://localhost:1/path'],
      '--issuer: expected an address that begins with http:// or https:// and has no path',
    ],
    [['--issuer', 'http://zitadel.example.com'], '--issuer: expected https://'],
    [['--web-origin', 'localhost:3000'], '--web-origin: expected an address'],
    [['--web-origin', 'http://localhost:3001'], 'expected two origins'],
    [['--grant', 'alice'], '--grant: expected a login name and a role'],
    [['--roles', 'admin,,'], '--roles: expected a name'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['--key-file', 'x.json'], 'give one of them'],
    [['--env-file', '/nowhere/at/all/.env'], 'cannot write into /nowhere/at/all'],
  ])('It is exit status 2 with a sentence for %j', async (args, sentence) => {
    const { status, stderr } = await folder.run(args);
    expect([status, stderr]).toEqual([2, expect.stringContaining(sentence)]);
    expect(folder.commands).toEqual([]);
  });

  it('It is one to ask where nobody is: without a terminal an option is missing', async () => {
    const withoutIssuer = await folder.runWith([]);
    expect([withoutIssuer.status, withoutIssuer.stderr]).toEqual([2, '--issuer is missing. See --help\n']);
    const withoutYes = await folder.runAs(sandbox.personalAccessToken ?? '', []);
    expect([withoutYes.status, withoutYes.stderr.includes('--yes')]).toEqual([2, true]);
    expect(folder.commands).toEqual([]);
  });
});

it('The document of --json has the error, also of a token that Zitadel does not accept and where nobody can be asked', async () => {
  const refused = await folder.runAs('garbage', ['--yes', '--json']);
  expect([refused.status, documentOf(refused).error]).toEqual([
    1,
    expect.stringContaining('Zitadel does not accept this token'),
  ]);
  const asked = await folder.runAs(sandbox.personalAccessToken ?? '', ['--json']);
  expect([asked.status, documentOf(asked).error]).toEqual([2, expect.stringContaining('add --yes')]);
});
