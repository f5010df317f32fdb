import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startSandbox, type Sandbox, type SandboxOptions } from 'zitadel-sandbox';
import { acme, applicationNamed, manage, serviceUserToken, updateApplication } from './support/manage.js';
import { documentOf, SetupFolder } from './support/set-up.js';

let sandbox: Sandbox;
let folder: SetupFolder;

async function start(options: SandboxOptions = {}): Promise<void> {
  sandbox = await startSandbox({ empty: true, ...options });
  folder = new SetupFolder(sandbox);
}

afterEach(async () => {
  await sandbox.close();
  rmSync(folder.path, { recursive: true });
});

const createProject = '/zitadel.project.v2.ProjectService/CreateProject';
const updatePath = '/zitadel.application.v2.ApplicationService/UpdateApplication';

describe('Searches that lag behind commands', () => {
  it('They are repeated until they show what was made and changed', async () => {
    await start({ projectionLag: 2 });
    expect((await folder.run()).status).toBe(0);
    await folder.run();
    await updateApplication(sandbox, 'Web application', {
      oidcConfiguration: { redirectUris: ['https://other.example.com/callback'] },
    });
    for (let search = 0; search < 2; search++) await applicationNamed(sandbox, 'Web application');
    expect((await folder.document()).changed).toEqual(['application Web application']);
  });

  it('They are repeated with an end, after which nothing half-written is left', async () => {
    await start({ projectionLag: Infinity });
    const { status, stdout, stderr } = await folder.run(['--json']);
    expect(status).toBe(1);
    expect(stderr).toContain('does not show the project nestjs-zitadel which it has just made');
    expect(stderr).toContain('No file was changed');
    expect(documentOf({ status, stdout, stderr }).error).toContain('does not show the project');
    expect(existsSync(folder.envFile)).toBe(false);
  });

  it('They may hide what somebody else has just made: 409 means to search again', async () => {
    await start({ projectionLag: 2 });
    const message = { organizationId: acme, name: 'nestjs-zitadel' };
    const { projectId } = await manage(sandbox, 'project.v2.ProjectService/CreateProject', message);
    const document = await folder.document();
    expect(document.unchanged).toEqual(['project nestjs-zitadel']);
    expect((await applicationNamed(sandbox, 'Web application')).projectId).toBe(projectId);
    const shown = await manage<{ project: object }>(sandbox, 'project.v2.ProjectService/GetProject', {
      projectId,
    });
    expect(shown.project).toMatchObject({ projectRoleAssertion: true });
  });
});

describe('An update of an application', () => {
  beforeEach(async () => {
    await start();
    await folder.run();
  });

  it('It keeps grant types and login version, which Zitadel resets where an update leaves them out', async () => {
    const [code, refresh] = ['OIDC_GRANT_TYPE_AUTHORIZATION_CODE', 'OIDC_GRANT_TYPE_REFRESH_TOKEN'];
    const grantTypes = [code, refresh, 'OIDC_GRANT_TYPE_DEVICE_CODE'];
    await updateApplication(sandbox, 'Web application', {
      oidcConfiguration: { grantTypes, loginVersion: { loginV1: {} } },
    });
    await folder.run(['--web-origin', 'http://localhost:4000']);
    const { oidcConfiguration } = await applicationNamed(sandbox, 'Web application');
    expect(oidcConfiguration).toMatchObject({ grantTypes, loginVersion: { loginV1: {} } });
    expect(oidcConfiguration.redirectUris).toEqual([
      'http://localhost:3000/auth/callback',
      'http://localhost:4000/auth/callback',
    ]);
  });

  it('It is done when Zitadel answers that nothing changes, because somebody else did the same', async () => {
    await updateApplication(sandbox, 'API', {
      apiConfiguration: { authMethodType: 'API_AUTH_METHOD_TYPE_BASIC' },
    });
    const asked = {
      isInteractive: true,
      ask: async () => {
        await updateApplication(sandbox, 'API', {
          apiConfiguration: { authMethodType: 'API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT' },
        });
        return 'yes';
      },
    };
    const ran = await folder.runAs(sandbox.personalAccessToken ?? '', ['--json'], asked);
    expect([ran.status, documentOf(ran).changed]).toEqual([0, []]);
    expect(sandbox.requests.filter(({ path, status }) => path === updatePath && status === 400)).toHaveLength(
      1,
    );
  });

  it('It is refused when Zitadel has taken something else than it was sent', async () => {
    await updateApplication(sandbox, 'API', {
      apiConfiguration: { authMethodType: 'API_AUTH_METHOD_TYPE_BASIC' },
    });
    sandbox.fail(updatePath, 200, 1);
    const { status, stderr } = await folder.run();
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining(
        'took the application API otherwise than it was sent: authenticates with a key',
      ),
    ]);
  });
});

describe('A back-channel logout address', () => {
  it('It is registered where Zitadel takes it', async () => {
    await start();
    const { stderr } = await folder.run(['--back-channel']);
    expect(stderr).not.toContain('Note');
    const { oidcConfiguration } = await applicationNamed(sandbox, 'Web application');
    expect(oidcConfiguration).toMatchObject({
      backChannelLogoutUri: 'http://localhost:3000/auth/backchannel-logout',
    });
    // and is not taken away by a run without the option
    await folder.run(['--roles', 'admin,reader']);
    expect((await applicationNamed(sandbox, 'Web application')).oidcConfiguration).toEqual(oidcConfiguration);
  });

  it('It is left out where the deny list has it, and both cures are said', async () => {
    await start({ backChannelDenied: true });
    const ran = await folder.run(['--back-channel', '--json']);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(/ZITADEL_HTTPCLIENT_DENYLIST.*DNS/);
    expect(documentOf(ran).created).toContain('application Web application');
  });

  it('It is tried again by a second run, which changes nothing and says so, until Zitadel takes it', async () => {
    await start({ backChannelDenied: true });
    await folder.run(['--back-channel']);
    const again = await folder.run(['--back-channel', '--json']);
    const { created, changed, files } = documentOf(again);
    expect([again.status, created, changed, files]).toEqual([0, [], [], []]);
    expect(again.stderr).toMatch(
      /^\? application Web application \(backChannelLogoutUri: .*Zitadel may refuse it\)$/m,
    );
    expect(again.stderr).not.toMatch(/^[+~] /m);
    expect(again.stderr).toContain('Everything else is as it should be: nothing was changed.');
    sandbox.setBackChannelDenied(false);
    const taken = await folder.run(['--back-channel', '--json']);
    expect(documentOf(taken).changed).toEqual(['application Web application']);
  });

  it('It is left out where Zitadel cannot resolve its host', async () => {
    await start();
    const ran = await folder.run(['--back-channel', '--web-origin', 'https://app.example.com']);
    expect([ran.status, ran.stderr.includes('cannot resolve')]).toEqual([0, true]);
    expect(folder.environment['ZITADEL_CALLBACK_URL']).toBe('https://app.example.com/auth/callback');
  });
});

describe('A token', () => {
  beforeEach(() => start());

  it('It is refused when Zitadel does not know it or it has expired', async () => {
    const { status, stderr } = await folder.runAs('garbage', ['--yes']);
    expect([status, stderr.includes('does not accept this token')]).toEqual([1, true]);
    expect(stderr).not.toContain('garbage');
  });

  it('It needs a role in Zitadel, and both that suffice are said', async () => {
    const { status, stderr } = await folder.runAs(await serviceUserToken(sandbox), ['--yes']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/no role in Zitadel: give it ORG_OWNER.*PROJECT_OWNER/),
    ]);
  });

  it.each(['ORG_PROJECT_CREATOR', 'ORG_USER_MANAGER'])(
    'It may not create projects with %s, which is said before anything is made',
    async (word) => {
      const token = await serviceUserToken(sandbox, { word, resource: { organizationId: acme } });
      const { status, stderr } = await folder.runAs(token, ['--yes']);
      expect([status, stderr]).toEqual([
        1,
        'this token may not create projects: give the service user ORG_OWNER, or PROJECT_OWNER of an existing project with --project\n',
      ]);
      expect(sandbox.requests.filter(({ path }) => path === createProject)).toEqual([]);
    },
  );

  it('It suffices with ORG_OWNER, and with PROJECT_OWNER of an existing project', async () => {
    const owner = await serviceUserToken(sandbox, { word: 'ORG_OWNER', resource: { organizationId: acme } });
    const first = await folder.runAs(owner, ['--yes', '--json', '--grant', 'alice@acme.example=admin']);
    expect([first.status, documentOf(first).created.length]).toEqual([0, 8]);
    const { projectId } = await applicationNamed(sandbox, 'API');
    const token = await serviceUserToken(sandbox, { word: 'PROJECT_OWNER', resource: { projectId } });
    // it sees no roles: whether there are any, only a command tells
    const plan = await folder.runAs(token, ['--dry-run']);
    expect(plan.stdout).toContain('+ role admin (unless it is there: this token may not see roles)');
    const second = await folder.runAs(token, ['--yes', '--json']);
    expect(second.status).toBe(0);
    expect(documentOf(second)).toMatchObject({ created: [], changed: [], files: [] });
    rmSync(`${folder.envFile}.api-key.json`);
    const web = ['--web-origin', 'http://localhost:4000'];
    const third = documentOf(await folder.runAs(token, ['--yes', '--json', ...web]));
    expect(third).toMatchObject({
      created: ['key of application API'],
      changed: ['application Web application'],
    });
    const people = await folder.runAs(token, ['--yes', '--grant', 'bob@acme.example=admin']);
    expect([people.status, people.stderr]).toEqual([1, expect.stringContaining('ORG_USER_MANAGER')]);
  });

  it('It finds its project among more than a page of others, which it may not see', async () => {
    const owner = await serviceUserToken(sandbox, { word: 'ORG_OWNER', resource: { organizationId: acme } });
    await folder.runAs(owner, ['--yes']);
    for (let other = 0; other < 101; other++) {
      await manage(sandbox, 'project.v2.ProjectService/CreateProject', {
        organizationId: '320000000000000002',
        name: `Other ${other}`,
      });
    }
    const again = documentOf(await folder.runAs(owner, ['--yes', '--json']));
    expect(again).toMatchObject({ created: [], changed: [], files: [] });
  });

  it('It may be one by the key of a service user', async () => {
    const user = sandbox.users.find(({ kind }) => kind === 'machine');
    const keyFile = join(folder.path, 'serviceuser.json');
    writeFileSync(keyFile, JSON.stringify(user?.key));
    const options = ['--issuer', sandbox.issuer, '--key-file', keyFile, '--yes'];
    expect((await folder.runWith(options)).status).toBe(0);
    expect(folder.environment['ZITADEL_DOMAIN']).toBe(sandbox.issuer);
    writeFileSync(keyFile, JSON.stringify({ ...user?.key, keyId: '1' }));
    const refused = await folder.runWith(options);
    expect([refused.status, refused.stderr.includes('answered 400 to the key')]).toEqual([1, true]);
  });

  it('It is refused with a sentence when the file holds something else', async () => {
    const file = join(folder.path, 'file');
    const runWith = async (option: string, content: string) => {
      writeFileSync(file, content);
      return folder.runWith(['--issuer', sandbox.issuer, option, file, '--yes']);
    };
    const key = JSON.stringify(sandbox.clients.api.key);
    expect(await runWith('--key-file', key)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is the key of an API application'),
    });
    expect(await runWith('--key-file', '{}')).toMatchObject({ status: 2 });
    expect(await runWith('--pat-file', key)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('use --key-file'),
    });
    expect(await runWith('--pat-file', 'two words')).toMatchObject({ status: 2 });
    expect(await folder.runWith(['--pat-file', '/not/there', '--issuer', sandbox.issuer])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('cannot read /not/there'),
    });
  });
});

describe('A Zitadel', () => {
  it('It is refused by name when it is older than its management API v2, before anything is made', async () => {
    await start({ hasManagementV2: false });
    const { status, stderr } = await folder.run();
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/v4\.3 of 2025-10 is too old.*2026-07 is new enough/),
    ]);
    expect(folder.commands).toEqual([]);
  });

  it('It is named as it calls itself when the issuer is another', async () => {
    await start();
    const run = (issuer: string) => folder.runWith(['--issuer', issuer, '--pat-file', patFile, '--yes']);
    const patFile = join(folder.path, 'admin.pat');
    writeFileSync(patFile, sandbox.personalAccessToken ?? '');
    const other = await run(sandbox.issuer.replace('localhost', '127.0.0.1'));
    expect([other.status, other.stderr]).toEqual([1, expect.stringContaining('serves the domain localhost')]);
    const nothing = await run('http://localhost:1');
    expect([nothing.status, nothing.stderr]).toEqual([
      1,
      expect.stringContaining('Zitadel does not answer at http://localhost:1 ('),
    ]);
  });

  it('It makes no project in an organization that does not exist', async () => {
    await start();
    const { status, stderr } = await folder.run(['--organization', 'Nowhere']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('no organization "Nowhere"')]);
    expect(folder.commands).toEqual([]);
    await folder.run(['--organization', 'Globex']);
    const { projects } = await manage<{ projects: object[] }>(
      sandbox,
      'project.v2.ProjectService/ListProjects',
      {},
    );
    expect(projects).toMatchObject([{ organizationId: '320000000000000002' }]);
  });

  it('It is asked again after an answer 503 to a search, and not after one to a command', async () => {
    await start();
    sandbox.fail('/zitadel.project.v2.ProjectService/ListProjects', 503, 1);
    expect((await folder.run()).status).toBe(0);
    sandbox.fail('/zitadel.project.v2.ProjectService/AddProjectRole', 503, 1);
    const { status, stderr } = await folder.run(['--roles', 'reader']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('answered 503')]);
    expect(sandbox.requests.filter(({ path }) => path.endsWith('/AddProjectRole'))).toHaveLength(2);
  });

  it('It is asked for people by their login name before anything is made', async () => {
    await start();
    const { status, stderr } = await folder.run(['--grant', 'nobody@acme.example=admin']);
    expect([status, stderr]).toEqual([
      1,
      expect.stringContaining('nobody with the login name nobody@acme.example'),
    ]);
    expect(folder.commands).toEqual([]);
  });

  it('It is named when its answer has another form than this program knows', async () => {
    await start();
    sandbox.fail('/zitadel.user.v2.UserService/GetUserByID', 200, 1);
    const form = await folder.run();
    expect([form.status, form.stderr]).toEqual([
      1,
      expect.stringContaining(
        'answered user.v2.UserService/GetUserByID in a form that this program does not know: user',
      ),
    ]);
  });

  it('It takes login names in either case', async () => {
    await start();
    const { created } = await folder.document(['--grant', 'ALICE@acme.example=admin']);
    expect(created).toContain('role assignment ALICE@acme.example=admin');
  });

  it('It keeps a project that is deactivated', async () => {
    await start();
    await folder.run();
    const { projectId } = await applicationNamed(sandbox, 'API');
    await manage(sandbox, 'project.v2.ProjectService/DeactivateProject', { projectId });
    const { status, stderr } = await folder.run();
    expect([status, stderr]).toEqual([1, expect.stringContaining('nestjs-zitadel is deactivated')]);
  });

  it('It keeps an application of another kind that has the name', async () => {
    await start();
    await folder.run();
    const { projectId } = await applicationNamed(sandbox, 'API');
    await manage(sandbox, 'project.v2.ProjectService/CreateProject', { organizationId: acme, name: 'Other' });
    const { projects } = await manage<{ projects: { projectId: string; name: string }[] }>(
      sandbox,
      'project.v2.ProjectService/ListProjects',
      {},
    );
    const other = projects.find(({ name }) => name === 'Other')?.projectId;
    expect(other).not.toBe(projectId);
    await manage(sandbox, 'application.v2.ApplicationService/CreateApplication', {
      projectId: other,
      name: 'Web application',
      apiConfiguration: {},
    });
    const { status, stderr } = await folder.run(['--project', 'Other']);
    expect([status, stderr]).toEqual([1, expect.stringContaining('of another kind')]);
  });
});
