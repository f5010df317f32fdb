import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  apiKeyFrom,
  apiPort,
  checkIds,
  examine,
  mistakes,
  serviceKeyFrom,
  webPort,
  type Check,
  type MistakeCode,
  type Patient,
  type ZitadelOptions,
} from '@mridang/nestjs-zitadel';
import { startSandbox, type Sandbox, type SandboxOptions } from 'zitadel-sandbox';
import { freePort } from './support/free-port.js';
import { startRedis } from './support/redis.js';
import { serviceUserTokens } from './support/service-user-tokens.js';
import { startApp } from './support/start-app.js';

const WEB_ORIGIN = 'http://localhost:3000';
const running: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

async function sandboxWith(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox(options);
  running.push(() => sandbox.close());
  return sandbox;
}

async function server(answer: RequestListener): Promise<string> {
  const started: Server = createServer(answer);
  await new Promise<void>((listening) => started.listen(0, '127.0.0.1', listening));
  running.push(() => started.close());
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

/** A server with a self-signed certificate, which answers a request without TLS as servers in Go do. */
async function tlsServer(plainAnswer: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  const files = { key: readFileSync(key), cert: readFileSync(cert) };
  const secure = createTlsServer(files, (_request, response) => response.end());
  await new Promise<void>((listening) => secure.listen(0, '127.0.0.1', listening));
  const front = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .once('data', (first) => {
        if (first[0] !== 0x16) return socket.end(`HTTP/1.0 400 Bad Request\r\n\r\n${plainAnswer}`);
        const onward = connectTcp((secure.address() as AddressInfo).port, '127.0.0.1');
        onward.on('error', () => undefined).write(first);
        return socket.pipe(onward).pipe(socket);
      }),
  );
  await new Promise<void>((listening) => front.listen(0, listening));
  running.push(
    () => secure.close(),
    () => front.close(),
  );
  return `https://localhost:${(front.address() as AddressInfo).port}`;
}

const webFor = (sandbox: Pick<Sandbox, 'issuer' | 'clients'>): ZitadelOptions => ({
  issuer: sandbox.issuer,
  clientId: sandbox.clients.web.clientId,
  clientSecret: sandbox.clients.web.clientSecret,
  redirectUri: `${WEB_ORIGIN}/auth/callback`,
  postLogoutRedirectUri: `${WEB_ORIGIN}/auth/logout/callback`,
  secret: 'a secret of at least thirty-two characters',
});

const apiFor = ({ issuer, clients, projectId }: Sandbox): NonNullable<Patient['api']> => ({
  issuer,
  key: apiKeyFrom(clients.api.key),
  projectId,
});

const patientFor = (sandbox: Sandbox, change: Partial<Patient> = {}): Patient => ({
  web: webFor(sandbox),
  api: apiFor(sandbox),
  problems: [],
  ports: [],
  node: { version: process.version, wanted: '>=20.19' },
  ...change,
});

const notOk = (checks: Check[]) => checks.filter(({ status }) => status !== 'ok');
const named = (checks: Check[], id: string) => checks.find((check) => check.id === id);

/** A text of the table, with something in place of each `{name}`. */
const patternOf = (text: string) => {
  const parts = text.split(/\{\w+\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join('[^{}]+')}$`);
};

/** Expects the one mistake, with its texts and its setting, and that every other check was made. */
async function expectMistake(patient: Patient, code: MistakeCode, words: RegExp = /./): Promise<Check> {
  const checks = await examine(patient);
  const { check, setting } = mistakes[code];
  const found = named(checks, check);
  expect(found).toMatchObject({ id: check, status: 'wrong', setting: setting || null });
  expect(found?.cause).toMatch(words);
  expect(found?.cause).toMatch(patternOf(mistakes[code].cause));
  expect(found?.cure).toMatch(patternOf(mistakes[code].cure));
  expect(`${found?.cause} ${found?.cure}`).not.toMatch(/undefined|\[object/);
  expect(checks.filter(({ status }) => status === 'wrong').map(({ id }) => id)).toEqual([check]);
  return found as Check;
}

describe('The doctor finds nothing wrong', () => {
  it.each([
    ['with PKCE', {}],
    ['with a secret', { web: { authMethod: 'basic' } }],
    ['with Login V1', { web: { loginVersion: 1 } }],
  ] as [string, SandboxOptions][])('%s, and only the project needs a token', async (_name, options) => {
    const checks = await examine(patientFor(await sandboxWith(options)));
    expect(checks.map(({ id }) => id)).toEqual(checkIds.filter((id) => id !== 'configuration'));
    expect(notOk(checks)).toEqual([
      expect.objectContaining({ id: 'api-project', status: 'unknown', setting: null }),
    ]);
  });

  it('with the key of a service user, which shows that the API application is in the project', async () => {
    const sandbox = await sandboxWith();
    const serviceKey = serviceKeyFrom(JSON.stringify(serviceUserOf(sandbox)));
    expect(notOk(await examine(patientFor(sandbox, { serviceKey })))).toEqual([]);
  });

  it('with a login on another origin, which it names', async () => {
    const sandbox = await sandboxWith({ loginOrigin: 'http://localhost:0' });
    const check = named(await examine(patientFor(sandbox)), 'login-origin');
    expect(check).toMatchObject({ status: 'ok' });
    expect(check?.cause).toContain(sandbox.loginOrigin);
  });
});

describe('The doctor names what is wrong with the address of Zitadel:', () => {
  const withIssuer = (issuer: string): Patient => ({
    problems: [],
    ports: [],
    node: { version: process.version, wanted: '>=20.19' },
    web: {
      issuer,
      clientId: '1',
      redirectUri: `${WEB_ORIGIN}/auth/callback`,
      secret: 'a secret of at least thirty-two characters',
    },
  });
  const metadataOf =
    (change: Record<string, unknown>): RequestListener =>
    (request, response) => {
      const issuer = `http://${request.headers.host}`;
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          issuer,
          authorization_endpoint: `${issuer}/oauth/v2/authorize`,
          token_endpoint: `${issuer}/oauth/v2/token`,
          jwks_uri: `${issuer}/oauth/v2/keys`,
          ...change,
        }),
      );
    };
  const answers =
    (status: number, body = '', headers: Record<string, string> = {}): RequestListener =>
    (_request, response) =>
      response.writeHead(status, headers).end(body);

  it('nothing listens there', async () => {
    await expectMistake(
      withIssuer(`http://localhost:${await freePort()}`),
      'issuer_unreachable',
      /ECONNREFUSED/,
    );
  });

  it('https at a port without TLS', async () => {
    const { issuer } = await sandboxWith();
    const found = await expectMistake(withIssuer(issuer.replace('http:', 'https:')), 'issuer_without_tls');
    expect(found.cure).toContain(issuer);
  });

  it('http at a port with TLS', async () => {
    const issuer = await server(answers(400, 'Client sent an HTTP request to an HTTPS server.\n'));
    const found = await expectMistake(withIssuer(issuer), 'issuer_with_tls');
    expect(found.cure).toContain(issuer.replace('http:', 'https:'));
  });

  it('a certificate that is not accepted, also of a server that answers without TLS at that port', async () => {
    const { port } = new URL(await tlsServer('Client sent an HTTP request to an HTTPS server.\n'));
    await expectMistake(withIssuer(`https://localhost:${port}`), 'issuer_certificate', /self.signed/i);
    await expectMistake(withIssuer(`http://localhost:${port}`), 'issuer_with_tls');
  });

  it('a host name that the instance does not serve', async () => {
    const { issuer } = await sandboxWith();
    const found = await expectMistake(
      withIssuer(issuer.replace('localhost', '127.0.0.1')),
      'issuer_other_domain',
    );
    expect(found.cure).toContain('localhost');
  });

  it('another server, or a path', async () => {
    const issuer = await server(answers(404, '404 page not found\n'));
    await expectMistake(withIssuer(issuer), 'issuer_no_metadata', /404/);
  });

  it('a page that is no JSON', async () => {
    await expectMistake(withIssuer(await server(answers(200, '<html></html>'))), 'issuer_no_metadata', /200/);
  });

  it('a redirect', async () => {
    const location = '/.well-known/openid-configuration';
    const issuer = await server(answers(301, '', { location }));
    await expectMistake(withIssuer(issuer), 'issuer_redirect', /well-known/);
  });

  it('a Zitadel that fails', async () => {
    const sandbox = await sandboxWith();
    sandbox.fail('/.well-known/openid-configuration', 503);
    await expectMistake(patientFor(sandbox), 'issuer_failing', /503/);
  });

  it('the other scheme', async () => {
    const issuer = await server((request, response) =>
      metadataOf({ issuer: `https://${request.headers.host}` })(request, response),
    );
    await expectMistake(withIssuer(issuer), 'issuer_other_scheme', /https:/);
  });

  it('another instance', async () => {
    const issuer = await server(metadataOf({ issuer: 'https://other.example.com' }));
    await expectMistake(withIssuer(issuer), 'issuer_other', /other\.example\.com/);
  });

  it('another one for the API', async () => {
    const sandbox = await sandboxWith();
    const api = { ...apiFor(sandbox), issuer: 'https://other.example.com' };
    await expectMistake(patientFor(sandbox, { api }), 'issuers_differ', /other\.example\.com/);
  });

  it('metadata without an endpoint', async () => {
    const issuer = await server(metadataOf({ token_endpoint: undefined }));
    await expectMistake(withIssuer(issuer), 'metadata_incomplete', /token_endpoint/);
  });

  it('keys that cannot be read', async () => {
    const sandbox = await sandboxWith();
    sandbox.fail('/oauth/v2/keys', 404);
    await expectMistake(patientFor(sandbox), 'keys_missing', /404/);
  });
});

describe('The doctor names what is wrong with the web application:', () => {
  it.each([
    ['an unknown client ID', 'client_unknown', {}, { clientId: '320000000000009999' }],
    ['an application that is not active', 'client_unknown', { active: false }, {}],
    ['the client ID of the API application', 'client_is_api', {}, { clientId: '320000000000000103' }],
    ['the ID of the project', 'client_is_project', {}, { clientId: '320000000000000100' }],
    [
      'an http address of a user agent application',
      'redirect_uri_http',
      { applicationType: 'user_agent', devMode: false },
      {},
    ],
    ['the code flow switched off', 'code_flow_off', { responseTypes: ['id_token'] }, {}],
    ['the refresh grant switched off', 'refresh_grant_off', { refreshTokenGrant: false }, {}],
    ['a missing secret', 'client_secret_missing', { authMethod: 'basic' }, { clientSecret: undefined }],
    ['a wrong secret', 'client_secret_wrong', { authMethod: 'basic' }, { clientSecret: 'the-wrong-secret' }],
    [
      'a secret of an application without one',
      'client_secret_unused',
      {},
      { clientSecret: 'the-wrong-secret' },
    ],
    ['an application with a key', 'client_key_expected', { authMethod: 'private_key_jwt' }, {}],
  ] as [string, MistakeCode, SandboxOptions['web'], Partial<ZitadelOptions>][])(
    '%s',
    async (_name, code, web, change) => {
      const sandbox = await sandboxWith({ web: web ?? {} });
      const found = await expectMistake(
        patientFor(sandbox, { web: { ...webFor(sandbox), ...change } }),
        code,
      );
      expect(JSON.stringify(found)).not.toContain('the-wrong-secret');
    },
  );

  it('the application ID of the API application', async () => {
    const sandbox = await sandboxWith();
    const web = { ...webFor(sandbox), clientId: sandbox.clients.api.appId };
    await expectMistake(patientFor(sandbox, { web }), 'client_is_api', /application ID/);
  });

  it.each([
    ['a slash too many', '/auth/callback/', 'slash'],
    ['another case', '/AUTH/callback', 'case'],
    ['another path', '/auth/callback/zitadel', 'path'],
  ])('a redirect URI that differs from the registered one by %s', async (_name, path, words) => {
    const sandbox = await sandboxWith({ web: { redirectUris: [`${WEB_ORIGIN}/auth/callback`] } });
    const web = { ...webFor(sandbox), redirectUri: WEB_ORIGIN + path };
    const found = await expectMistake(patientFor(sandbox, { web }), 'redirect_uri_near', new RegExp(words));
    expect(found.cause).toContain(`${WEB_ORIGIN}/auth/callback is`);
  });

  it.each([
    ['the port', 'http://localhost:3000', 'http://localhost:3005'],
    ['the scheme', 'https://app.example.com', 'http://app.example.com'],
    ['the host', 'http://127.0.0.1:3000', 'http://localhost:3000'],
  ])('addresses that differ from the registered ones by %s', async (difference, registered, used) => {
    const sandbox = await sandboxWith({
      web: {
        redirectUris: [`${registered}/auth/callback`],
        postLogoutRedirectUris: [`${registered}/auth/logout/callback`],
      },
    });
    const addresses = {
      redirectUri: `${used}/auth/callback`,
      postLogoutRedirectUri: `${used}/auth/logout/callback`,
    };
    const checks = await examine(patientFor(sandbox, { web: { ...webFor(sandbox), ...addresses } }));
    for (const id of ['redirect-uri', 'post-logout-uri']) {
      expect(named(checks, id)?.cause).toContain(registered);
      expect(named(checks, id)?.cause).toContain(difference);
    }
  });

  it('addresses that are nowhere near a registered one', async () => {
    const sandbox = await sandboxWith({
      web: { redirectUris: ['http://localhost:1/'], postLogoutRedirectUris: ['http://localhost:1/'] },
    });
    const checks = await examine(patientFor(sandbox));
    expect(named(checks, 'redirect-uri')?.cause).toBe(`${WEB_ORIGIN}/auth/callback is not registered`);
    expect(named(checks, 'post-logout-uri')?.cause).toBe(
      `${WEB_ORIGIN}/auth/logout/callback is not registered`,
    );
  });

  it('a login page that is not there', async () => {
    const sandbox = await sandboxWith();
    sandbox.fail('/ui/v2/login/login', 404);
    await expectMistake(patientFor(sandbox), 'login_missing', /\/ui\/v2\/login/);
  });

  it('a login page that does not answer', async () => {
    const sandbox = await sandboxWith();
    sandbox.drop('/ui/v2/login/login');
    await expectMistake(patientFor(sandbox), 'login_unreachable', /\/ui\/v2\/login/);
  });
});

describe('The doctor names what is wrong with the API:', () => {
  it.each([
    ['a key ID that Zitadel does not have', () => ({ keyId: '999' })],
    ['another private key', ({ clients }: Sandbox) => ({ key: clients.foreignApi.key.key })],
    ['the client ID of another application', ({ clients }: Sandbox) => ({ clientId: clients.web.clientId })],
    [
      'an application that is not active',
      ({ clients }: Sandbox) => {
        Object.assign(clients.api, { active: false });
        return {};
      },
    ],
    [
      'an application with the authentication method Basic',
      ({ clients }: Sandbox) => {
        Object.assign(clients.api, { authMethod: 'basic' });
        return {};
      },
    ],
  ])('%s', async (_name, change) => {
    const sandbox = await sandboxWith();
    const key = apiKeyFrom({ ...sandbox.clients.api.key, ...change(sandbox) });
    await expectMistake(patientFor(sandbox, { api: { ...apiFor(sandbox), key } }), 'api_key_refused');
  });

  it('a project ID that Zitadel does not have', async () => {
    const sandbox = await sandboxWith();
    const serviceKey = serviceKeyFrom(JSON.stringify(serviceUserOf(sandbox)));
    const api = { ...apiFor(sandbox), projectId: '999' };
    await expectMistake(patientFor(sandbox, { api, serviceKey }), 'api_other_project', /999/);
  });

  it('a project of which the API application is none', async () => {
    const sandbox = await sandboxWith();
    const serviceKey = serviceKeyFrom(JSON.stringify(serviceUserOf(sandbox)));
    const api = { ...apiFor(sandbox), key: apiKeyFrom(sandbox.clients.foreignApi.key) };
    await expectMistake(patientFor(sandbox, { api, serviceKey }), 'api_other_project', /320000000000000100/);
  });

  it('the key file of an application where that of a service user belongs', async () => {
    const { clients } = await sandboxWith();
    expect(() => serviceKeyFrom(JSON.stringify(clients.api.key))).toThrow('its type is "application"');
  });
});

describe('The doctor names what is wrong with the machine:', () => {
  it('an old Node.js', async () => {
    const sandbox = await sandboxWith();
    await expectMistake(
      patientFor(sandbox, { node: { version: 'v20.9.0', wanted: '>=20.19' } }),
      'node_old',
      /v20\.9\.0/,
    );
  });

  it('a port that another program has', async () => {
    const sandbox = await sandboxWith();
    const { port } = new URL(await server((_request, response) => response.end('other')));
    const ports = [webPort(Number(port), '')];
    await expectMistake(patientFor(sandbox, { ports }), 'port_unusable', new RegExp(port));
  });

  it('one port for both programs', async () => {
    const sandbox = await sandboxWith();
    const port = await freePort();
    await expectMistake(patientFor(sandbox, { ports: [webPort(port, ''), apiPort(port)] }), 'ports_same');
  });

  it('not a port that this program has already', async () => {
    const app = await startApp();
    running.push(() => app.close());
    const ports = [webPort(Number(new URL(app.origin).port), '')];
    expect(named(await examine(patientFor(app.sandbox, { ports })), 'ports')).toMatchObject({ status: 'ok' });
  });

  it('a Redis that is not there, and one without that database', async () => {
    const sandbox = await sandboxWith();
    const redis = await startRedis();
    running.push(() => redis.stop());
    expect(named(await examine(patientFor(sandbox, { redisUrl: redis.url })), 'redis')?.status).toBe('ok');
    await expectMistake(
      patientFor(sandbox, { redisUrl: `${redis.url}/999` }),
      'redis_unreachable',
      /DB index/,
    );
    const redisUrl = `redis://localhost:${await freePort()}`;
    await expectMistake(patientFor(sandbox, { redisUrl }), 'redis_unreachable', /ECONNREFUSED/);
  });

  it('a Zitadel that accepts connections and never answers, within 20 s', async () => {
    const issuer = await server(() => undefined);
    const checks = await examine({
      ...patientFor(await sandboxWith()),
      api: undefined,
      web: { ...webFor(await sandboxWith()), issuer },
    });
    expect(named(checks, 'issuer')).toMatchObject({ status: 'wrong', setting: 'ZITADEL_DOMAIN' });
  });
});

describe('npm run doctor', () => {
  it('reads the environment file as the program does and prints JSON, with status 1 for a mistake', async () => {
    const sandbox = await sandboxWith();
    const { status, out } = await doctor(fileWith(await withFreePorts(environmentOf(sandbox))), ['--json']);
    const { checks } = JSON.parse(out) as { checks: Check[] };
    expect(notOk(checks).map(({ id }) => id)).toEqual(['api-project']);
    expect(status).toBe(0);

    const broken = fileWith({ ...environmentOf(sandbox), ZITADEL_CLIENT_ID: '1', SESSION_SECRET: 'short' });
    const second = await doctor(broken, []);
    expect(second.status).toBe(1);
    expect(second.out).toMatch(/^wrong +configuration +SESSION_SECRET/m);
    expect(second.out).toMatch(/^2 mistakes found/m);
    expect(second.out).toMatch(/^wrong +client-id +Zitadel has no active application/m);
    expect(second.out).toMatch(/→ ZITADEL_CLIENT_ID: compare/);
    expect(second.out).not.toContain('short');
  });

  it('names the key file of a service user, and an address with a path, by their variables', async () => {
    const sandbox = await sandboxWith();
    const key = JSON.stringify(serviceUserOf(sandbox));
    const environment = { ...environmentOf(sandbox), ZITADEL_API_KEY_FILE: `'${key}'` };
    const { out } = await doctor(fileWith(environment), []);
    expect(out).toMatch(/^wrong +api-key +ZITADEL_API_KEY_FILE/m);
    expect(out).toContain('service user');
    const withPath = { ...environmentOf(sandbox), ZITADEL_DOMAIN: `${sandbox.issuer}/ui/console` };
    expect((await doctor(fileWith(withPath), [])).out).toMatch(/^wrong +issuer +ZITADEL_DOMAIN/m);
  });

  it('tells a wrong clock from a wrong key', async () => {
    const sandbox = await sandboxWith();
    const ahead = 'const now = Date.now; Date.now = () => now() + 7_200_000;';
    const { out, status } = await doctor(fileWith(environmentOf(sandbox)), ['--json'], {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(ahead)}`,
    });
    const { checks } = JSON.parse(out) as { checks: Check[] };
    expect(named(checks, 'clock')?.cause).toMatch(/the clock here is 7(199|200|201) s ahead of Zitadel/);
    expect(named(checks, 'api-key')?.cause).toMatch(/because of the time in its signature/);
    expect(status).toBe(1);
  });

  it('repairs what the set-up can repair, with --fix', async () => {
    const sandbox = await sandboxWith({ empty: true });
    const patFile = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'admin.pat');
    writeFileSync(patFile, String(sandbox.personalAccessToken));
    const ports = await withFreePorts({});
    const file = fileWith({
      ...ports,
      ZITADEL_DOMAIN: sandbox.issuer,
      ZITADEL_CLIENT_ID: '1',
      ZITADEL_CALLBACK_URL: `http://localhost:${ports.PORT}/auth/callback`,
    });
    const token = String(sandbox.personalAccessToken);
    const { status, out, errors } = await doctor(file, ['--fix', '--pat-file', patFile, '--json']);
    const { created, doctor: after } = JSON.parse(out) as { created: string[]; doctor: { checks: Check[] } };
    expect(created).toContain('application Web application');
    expect(after.checks.filter((check) => check.status === 'wrong')).toEqual([]);
    expect(errors).toContain('Nothing is wrong');
    expect([status, (await doctor(file, [])).status]).toEqual([0, 0]);
    expect(out + errors + readFileSync(file, 'utf8')).not.toContain(token);
  }, 60_000);

  it.each([
    ['--pat-file without --fix', ['--pat-file', 'README.md']],
    ['a folder in place of a file', ['--env-file', 'docs']],
    ['an option that does not exist', ['--nonsense']],
    ['a file that does not exist', ['--env-file', 'nowhere.env']],
    ['another word', ['tokens']],
  ])('ends with status 2 for %s', async (_name, args) => {
    const { status, out } = await doctor(undefined, args);
    expect(status).toBe(2);
    expect(out).toBe('');
  });
});

describe('npm run doctor -- token', () => {
  const scope = 'urn:zitadel:iam:org:project:id';
  const about = async (sandbox: Sandbox, token: string, change: Record<string, string> = {}) => {
    const { out, status } = await doctor(
      fileWith({ ...environmentOf(sandbox), ...change }),
      ['token', '--json'],
      {},
      token,
    );
    expect(out).not.toContain(token);
    return { ...(JSON.parse(out) as Record<string, unknown>), exit: status };
  };

  it('says that the API takes a token, and what is in it', async () => {
    const sandbox = await sandboxWith();
    const token = await serviceToken(sandbox, `openid ${scope}:${sandbox.projectId}:aud`);
    expect(await about(sandbox, token)).toMatchObject({
      exit: 0,
      status: 'accepted',
      kind: 'opaque access token',
      audience: expect.arrayContaining([sandbox.projectId]) as unknown,
      scopes: expect.arrayContaining(['openid']) as unknown,
    });
  });

  it('says that a token is for another project, has ended, or is none', async () => {
    const sandbox = await sandboxWith();
    expect(await about(sandbox, await serviceToken(sandbox, 'openid'))).toMatchObject({
      exit: 1,
      status: 'refused',
      cause: 'it is valid, but not for the project of this API',
    });
    const token = await serviceToken(sandbox, `openid ${scope}:${sandbox.projectId}:aud`);
    sandbox.expire('access_tokens');
    expect(await about(sandbox, token)).toMatchObject({
      status: 'refused',
      decidedBy: 'introspection (active: false)',
    });
    expect(await about(sandbox, 'two words')).toMatchObject({
      kind: 'no token',
      status: 'refused',
      decidedBy: 'Authorization header',
    });
  });

  it('knows an ID token, and a personal access token with its roles', async () => {
    const sandbox = await sandboxWith();
    const scope = `openid urn:zitadel:iam:org:project:id:${sandbox.projectId}:aud`;
    const { id_token: idToken } = await serviceUserTokens(sandbox, scope);
    expect(await about(sandbox, idToken)).toMatchObject({
      status: 'refused',
      kind: 'ID token',
      cause: 'it is an ID token',
      ageSeconds: expect.any(Number) as unknown,
    });
    const { personalAccessTokenFile = '' } = await sandbox.writeKeys(mkdtempSync(join(tmpdir(), 'keys-')));
    const personalAccessToken = readFileSync(personalAccessTokenFile, 'utf8').trim();
    expect(await about(sandbox, personalAccessToken)).toMatchObject({
      status: 'accepted',
      kind: 'personal access token',
      roles: ['viewer'],
    });
  });

  it('says which check of the API decides', async () => {
    const sandbox = await sandboxWith();
    const token = await serviceToken(sandbox, `openid ${scope}:${sandbox.projectId}:aud`);
    expect(await about(sandbox, token, { IDP_PROJECT_ID: '999' })).toMatchObject({
      status: 'refused',
      decidedBy: 'checks of the API',
      cause: 'aud is another project',
    });
  });
});

function serviceUserOf(sandbox: Sandbox) {
  const user = sandbox.users.find(({ key }) => key !== undefined);
  return user?.key;
}

const serviceToken = async (sandbox: Sandbox, scope: string) =>
  (await serviceUserTokens(sandbox, scope)).access_token;

const environmentOf = ({ issuer, clients, projectId }: Sandbox): Record<string, string> => ({
  SESSION_SECRET: 'a secret of at least thirty-two characters',
  ZITADEL_DOMAIN: issuer,
  ZITADEL_CLIENT_ID: clients.web.clientId,
  ZITADEL_CALLBACK_URL: `${WEB_ORIGIN}/auth/callback`,
  ZITADEL_API_KEY_FILE: `'${JSON.stringify(clients.api.key)}'`,
  IDP_PROJECT_ID: projectId,
});

const withFreePorts = async (environment: Record<string, string>) => ({
  ...environment,
  PORT: String(await freePort()),
  APP_PORT: String(await freePort()),
});

function fileWith(variables: Record<string, string>): string {
  const file = join(mkdtempSync(join(tmpdir(), 'doctor-')), 'other.env');
  writeFileSync(
    file,
    Object.entries(variables)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  return file;
}

async function doctor(
  file: string | undefined,
  args: string[],
  env: Record<string, string> = {},
  input = '',
): Promise<{ status: number | null; out: string; errors: string }> {
  const { PATH = '', HOME = '' } = process.env;
  const fileArgs = file === undefined ? [] : ['--env-file', file];
  const child = spawn(process.execPath, ['--', 'scripts/doctor.mjs', ...args, ...fileArgs], {
    env: { PATH, HOME, NO_COLOR: '1', ...env },
  });
  child.stdin.end(input);
  const exit = new Promise<number | null>((resolve) => child.on('close', resolve));
  const [out, errors, status] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
  if (status === null || status > 2) throw new Error(errors);
  return { status, out, errors };
}
