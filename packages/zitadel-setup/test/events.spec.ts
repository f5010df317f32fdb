import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { EVENT_TYPES } from '@mridang/nestjs-zitadel';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { acme, manage, serviceUserToken } from './support/manage.js';
import { SetupFolder } from './support/set-up.js';

const ACTIONS = 'action.v2.ActionService';
const ADDRESS = 'https://app.example.com/auth/zitadel-events';
const events = ['--events', 'https://app.example.com'];

interface Target {
  id: string;
  endpoint: string;
  signingKey: string;
}
interface Execution {
  condition: { event: { event?: string; group?: string; all?: boolean } };
  targets: string[];
}

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

async function targets(): Promise<Target[]> {
  const { targets: found = [] } = await manage<{ targets?: Target[] }>(sandbox, `${ACTIONS}/ListTargets`, {});
  return found;
}

async function executions(): Promise<Execution[]> {
  const answer = await manage<{ executions?: Execution[] }>(sandbox, `${ACTIONS}/ListExecutions`, {});
  return answer.executions ?? [];
}

async function hook(name: string, fields: object = {}): Promise<Target> {
  const target = { name, restWebhook: {}, timeout: '5s', endpoint: `https://${name}.example.com`, ...fields };
  return manage<Target & Record<string, unknown>>(sandbox, `${ACTIONS}/CreateTarget`, target);
}

const on = (event: Execution['condition']['event'], ...hooks: Target[]) =>
  manage(sandbox, `${ACTIONS}/SetExecution`, { condition: { event }, targets: hooks.map(({ id }) => id) });

describe('--events', () => {
  it('makes a target and executions for single events, and writes the signing key', async () => {
    const { status, stdout, stderr } = await folder.run(events);
    expect(status).toBe(0);
    const [target, ...others] = await targets();
    expect(others).toEqual([]);
    expect(target?.endpoint).toBe(ADDRESS);
    expect(folder.environment['ZITADEL_EVENTS_KEY']).toBe(target?.signingKey);
    expect(stdout + stderr).not.toContain(target?.signingKey);
    const made = await executions();
    expect(made.map(({ condition }) => condition.event.event).sort()).toEqual([...EVENT_TYPES].sort());
    for (const { condition, targets: ids } of made) {
      expect(Object.keys(condition.event)).toEqual(['event']);
      expect(ids).toEqual([target?.id]);
    }
  });

  it('changes nothing in a second run, nor in a run without it', async () => {
    await folder.run(events);
    const content = readFileSync(folder.envFile, 'utf8');
    const count = folder.commands.length;
    for (const args of [events, []]) {
      const { created, changed, files } = await folder.document(args);
      expect({ created, changed, files }).toEqual({ created: [], changed: [], files: [] });
    }
    expect(folder.commands).toHaveLength(count);
    expect(readFileSync(folder.envFile, 'utf8')).toBe(content);
  });

  it('is needed: without it neither targets nor executions are read, and no key is written', async () => {
    await folder.run();
    expect(sandbox.requests.filter(({ path }) => path.includes('ActionService'))).toEqual([]);
    expect(folder.environment).not.toHaveProperty('ZITADEL_EVENTS_KEY');
  });

  it('keeps other targets of a condition, and those that a group or all events had given the event', async () => {
    const [single, group, all] = [await hook('single'), await hook('group'), await hook('all')];
    await on({ event: 'user.locked' }, single);
    await on({ group: 'user.grant' }, group);
    await on({ group: 'user' }, single, group);
    await on({ all: true }, all);
    const { changed } = await folder.document(events);
    expect(changed).toEqual(['execution on event user.locked']);
    const own = (await targets()).find(({ endpoint }) => endpoint === ADDRESS)?.id;
    const byEvent = new Map(
      (await executions()).map(({ condition: { event }, targets: ids }) => [
        event.event ?? event.group ?? 'all',
        ids,
      ]),
    );
    expect(byEvent.get('user.locked')).toEqual([single.id, own]);
    expect(byEvent.get('user.grant.added')).toEqual([group.id, own]);
    expect(byEvent.get('user.removed')).toEqual([single.id, group.id, own]);
    expect(byEvent.get('session.terminated')).toEqual([all.id, own]);
    expect(byEvent.get('user')).toEqual([single.id, group.id]);
    expect(byEvent.get('all')).toEqual([all.id]);
  });

  it('repairs an execution that was removed, and takes over a key that was renewed', async () => {
    await folder.run(events);
    await on({ event: 'user.locked' });
    const [target] = await targets();
    const old = target?.signingKey ?? '';
    await manage(sandbox, `${ACTIONS}/UpdateTarget`, { id: target?.id, expirationSigningKey: '0s' });
    const { created, changed, files } = await folder.document(events);
    expect({ created, changed }).toEqual({ created: ['execution on event user.locked'], changed: [] });
    expect(files.at(-1)).toBe(folder.envFile);
    const [{ signingKey } = { signingKey: '' }] = await targets();
    expect(signingKey).not.toBe(old);
    expect(folder.environment['ZITADEL_EVENTS_KEY']).toBe(`${signingKey},${old}`);
  });

  it('needs IAM_OWNER, and says so before anything is made', async () => {
    const token = await serviceUserToken(sandbox, { word: 'ORG_OWNER', resource: { organizationId: acme } });
    const before = folder.commands.length;
    const { status, stderr } = await folder.runAs(token, ['--yes', ...events]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      'this token may not send events of Zitadel to a webhook: give the service user IAM_OWNER of the instance, or leave out --events',
    );
    expect(folder.commands).toHaveLength(before);
    expect((await folder.runAs(token, ['--yes'])).status).toBe(0);
  });

  it('goes on without events where the deny list has the address, and says the cures', async () => {
    const ran = await folder.run(['--events', 'https://169.254.1.1']);
    expect(ran.status).toBe(0);
    expect(ran.stderr).toMatch(
      /Note: Zitadel refuses the address for events https:\/\/169.254.1.1.*ZITADEL_HTTPCLIENT_DENYLIST.*DNS/,
    );
    expect(await targets()).toEqual([]);
    expect(await executions()).toEqual([]);
    expect(folder.environment).not.toHaveProperty('ZITADEL_EVENTS_KEY');
  });

  it('says what to do with a target of its name that has another address', async () => {
    await hook('other', { name: `Events to ${ADDRESS}` });
    const { status, stderr } = await folder.run(events);
    expect(status).toBe(1);
    expect(stderr).toContain('rename or delete it in the console');
  });

  it('makes a target beside one that sends JWTs, which Zitadel does not deliver for events', async () => {
    await hook('jwt', { endpoint: ADDRESS, payloadType: 'PAYLOAD_TYPE_JWT' });
    await folder.run(events);
    expect(await targets()).toHaveLength(2);
  });

  it.each([
    ['https://app.example.com', ADDRESS],
    ['https://app.example.com/', ADDRESS],
    [
      'https://inside.example.com/proxy/auth/zitadel-events',
      'https://inside.example.com/proxy/auth/zitadel-events',
    ],
    ['http://localhost:3000', 'http://localhost:3000/auth/zitadel-events'],
  ])('takes the address %s as %s', async (given, address) => {
    await folder.run(['--events', given]);
    expect((await targets()).map(({ endpoint }) => endpoint)).toEqual([address]);
  });

  it('puts BASE_PATH into an address without a path', async () => {
    writeFileSync(folder.envFile, 'BASE_PATH=/base\n');
    await folder.run(events);
    const [target] = await targets();
    expect(target?.endpoint).toBe('https://app.example.com/base/auth/zitadel-events');
  });

  it.each([
    'app.example.com',
    'ftp://app.example.com',
    'https://app.example.com?a=b',
    'https://me:pw@app.example.com',
    'http://app.example.com',
    '',
  ])('refuses the address %j', async (address) => {
    const { status, stderr } = await folder.run(['--events', address]);
    expect(status).toBe(2);
    expect(stderr).toContain('--events: expected');
    expect(stderr).not.toContain('pw@');
  });

  it('waits until Zitadel shows what was made', async () => {
    const slow = await startSandbox({ empty: true, projectionLag: 1 });
    const slowFolder = new SetupFolder(slow);
    try {
      expect((await slowFolder.run(events)).status).toBe(0);
      expect(slowFolder.environment['ZITADEL_EVENTS_KEY']).toHaveLength(36);
    } finally {
      await slow.close();
      rmSync(slowFolder.path, { recursive: true });
    }
  });
});
