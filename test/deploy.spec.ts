import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { generate } from 'selfsigned';
import { parse, parseAllDocuments } from 'yaml';
import { readApiEnv } from '../src/config/api-env.js';
import { readEnv } from '../src/config/env.js';
import { freePort } from './support/free-port.js';
import { runNginx } from './support/nginx.js';
import { runProgram, type RunningProgram } from './support/run-program.js';
import { refusedVariables } from './support/config-problems.js';

const scratch = mkdtempSync(join(tmpdir(), 'deploy-'));
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', scratch]);
  rmSync(scratch, { recursive: true });
});

const web = 'deploy/kubernetes/web.yaml';
const api = 'deploy/kubernetes/api.yaml';
const config = 'deploy/kubernetes/config.yaml';
const policies = 'deploy/kubernetes/network-policies.yaml';

/** The mistakes, and the text by which the check reports each. */
const mistakes: [what: string, file: string, from: string | RegExp, to: string, told: string][] = [
  ['a field that Kubernetes does not define', web, 'maxSurge:', 'maxSurges:', 'maxSurges"\' does not exist'],
  [
    'a nested field that Kubernetes does not define',
    web,
    'readOnlyRootFilesystem',
    'readOnlyRootFs',
    'readOnlyRootFs"\' does not exist',
  ],
  ['a value of another type', web, 'maxReplicas: 6', 'maxReplicas: six', 'maxReplicas'],
  ['a missing required field', web, / {2}scaleTargetRef:\n.*\n.*\n.*\n/, '', 'scaleTargetRef'],
  ['a removed API version', web, 'policy/v1', 'policy/v1beta9', 'not in policy/v1beta9'],
  ['a duplicate key', web, 'maxUnavailable: 0', 'maxSurge: 2', 'Map keys must be unique'],
  [
    'a selector that does not match its pods',
    web,
    'app.kubernetes.io/name: web\n  strategy',
    'name: w\n  strategy',
    'does not select its pods',
  ],
  [
    'a port without a listener',
    config,
    "PORT: '3000'",
    "PORT: '3002'",
    'the program listens on another port',
  ],
  ['a service port that no pod has', web, 'targetPort: http', 'targetPort: https', 'have no port https'],
  [
    'an autoscaler of a missing Deployment',
    web,
    /(scaleTargetRef:\n.*\n.*\n {4}name:) web/,
    '$1 www',
    'no Deployment www',
  ],
  ['an autoscaler with a minimum of one pod', web, 'minReplicas: 2', 'minReplicas: 1', 'fewer than two pods'],
  ['a readiness probe of a page', web, '/health/ready', '/', 'readinessProbe asks /'],
  [
    'a termination grace period that is too short',
    web,
    'GracePeriodSeconds: 25',
    'GracePeriodSeconds: 15',
    'is killed before',
  ],
  ['a container that runs as root', api, 'runAsUser: 1000', 'runAsUser: 0', 'may run as root'],
  [
    'a writable file system',
    api,
    'readOnlyRootFilesystem: true',
    'readOnlyRootFilesystem: false',
    'is writable',
  ],
  [
    'a key that is not mounted',
    api,
    'mountPath: /etc/zitadel',
    'mountPath: /etc/key',
    'not in a mounted Secret',
  ],
  ['a volume of a missing Secret', api, 'secretName: api-key', 'secretName: key', 'no Secret key'],
  [
    'an unknown variable in the ConfigMap',
    config,
    'ZITADEL_CALLBACK_URL',
    'CALLBACK_URL',
    'CALLBACK_URL is not in docs/configuration.md',
  ],
  ['a missing required variable', config, /\n.*ZITADEL_CLIENT_ID.*/, '', 'ZITADEL_CLIENT_ID is missing'],
  ['a missing TRUSTED_PROXIES', config, /\n.*TRUSTED_PROXIES: .*/, '', 'TRUSTED_PROXIES is missing'],
  ['a missing METRICS_TOKEN', api, / *- secretRef:\n.*metrics\n/, '', 'METRICS_TOKEN is missing'],
  [
    'an API that gets the secrets of the web application',
    api,
    'secretRef:\n                name: metrics',
    'secretRef:\n                name: web',
    'Deployment api: SESSION_SECRET is not in docs/configuration.md',
  ],
  [
    'a REDIS_URL that is not the Redis of the manifests',
    config,
    'redis://redis:6379',
    'redis://redis:6380',
    'REDIS_URL is not the Service redis',
  ],
  [
    'a network policy with a wrong port',
    policies,
    'port: 6379',
    'port: 6380',
    'pods of redis have no port 6380',
  ],
  [
    'a missing default-deny network policy',
    policies,
    'name: default-deny',
    'name: default-deny\nspec: {podSelector: {}}\n---\nkind: x',
    'denies by default',
  ],
  [
    'an ingress host without TLS',
    'deploy/kubernetes/ingress.yaml',
    '[app.example.com, ',
    '[',
    'no TLS for app.example.com',
  ],
  [
    'an ingress to a missing Service',
    'deploy/kubernetes/ingress.yaml',
    'name: web',
    'name: www',
    'no Service www',
  ],
  [
    'example secrets that are applied',
    'deploy/kubernetes/kustomization.yaml',
    '  - web.yaml',
    '  - secrets.example.yaml',
    'applies secrets.example.yaml',
  ],
  [
    'a field that Compose does not define',
    'compose.yaml',
    'stop_grace_period',
    'stop_grace',
    'must NOT have additional properties',
  ],
  [
    'a Compose port published on all interfaces',
    'compose.yaml',
    "'127.0.0.1:${PORT",
    "'${PORT",
    'without specifying the interface',
  ],
  [
    'a dependency on a missing Compose service',
    'compose.yaml',
    'redis: { condition',
    'redys: { condition',
    'depends on redys',
  ],
  [
    'a Compose service that shares no network with its dependency',
    'compose.yaml',
    'networks: [front, state]',
    'networks: [front]',
    'web: shares no network with redis',
  ],
  [
    'a Compose container with a writable file system',
    'compose.yaml',
    'read_only: true',
    'read_only: false',
    'is writable',
  ],
  [
    'a missing variable in a Compose service',
    'compose.yaml',
    'SESSION_SALT:',
    'SESSION_SALD:',
    'SESSION_SALT is missing',
  ],
  [
    'a variable of the web application in the API service',
    'compose.yaml',
    'METRICS_TOKEN:\n    secrets',
    'METRICS_TOKEN:\n      REDIS_URL: redis://redis:6379\n    secrets',
    'api: REDIS_URL is not in docs/configuration.md',
  ],
  [
    'a missing METRICS_TOKEN in the API service',
    'compose.yaml',
    '      METRICS_TOKEN:\n    secrets',
    '    secrets',
    'api: METRICS_TOKEN is missing',
  ],
  ['an image that runs as root', 'Dockerfile', 'USER 1000:1000', 'USER root', 'runs as root'],
  [
    'a COPY of a missing file',
    'Dockerfile',
    'COPY views views',
    'COPY view views',
    'copies view, which does not exist',
  ],
  ['a needed file in .dockerignore', '.dockerignore', '!views\n', '', 'leaves out views'],
];

describe('scripts/check-deploy.mjs', () => {
  let said: string[];
  const folderOf = (index: number) => join(scratch, `mistake-${index}`);

  beforeAll(() => {
    mistakes.forEach(([, file, from, to], index) => {
      const folder = folderOf(index);
      for (const part of ['Dockerfile', '.dockerignore', 'compose.yaml', 'deploy'])
        cpSync(part, join(folder, part), { recursive: true });
      for (const source of ['package.json', 'package-lock.json', '.npmrc', 'tailwind.config.js', 'views'])
        cpSync(source, join(folder, source), { recursive: true });
      for (const source of [
        'tsconfig.json',
        'tsconfig.base.json',
        'scripts',
        'src',
        'public',
        'packages/nestjs-auth',
        'packages/zitadel-sandbox',
      ]) {
        mkdirSync(join(folder, source), { recursive: true });
        if (source.startsWith('packages/')) writeFileSync(join(folder, source, 'package.json'), '{}');
      }
      const text = readFileSync(file, 'utf8');
      const broken = text.replace(from, to);
      if (broken === text) throw new Error(`${file} has no ${String(from)}`);
      writeFileSync(join(folder, file), broken);
    });
    const folders = mistakes.map((_, index) => folderOf(index));
    const { stderr, status } = spawnSync(process.execPath, ['scripts/check-deploy.mjs', ...folders], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    said = stderr.split('\n');
  }, 120_000);

  it('reports no problem in this repository', () => {
    const { stderr, status } = spawnSync(process.execPath, ['scripts/check-deploy.mjs'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 60_000);

  it.each(mistakes.map(([what, , , , told], index) => [what, told, index] as const))(
    'reports %s',
    (_, told, index) => {
      const here = said.filter((line) => line.startsWith(`${folderOf(index)}/`));
      expect(here.join('\n')).toContain(told);
    },
  );
});

interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
}

interface Deployment extends Manifest {
  spec: { template: { spec: { containers: [{ envFrom: Record<string, { name: string }>[] }] } } };
}

describe('the Kubernetes manifests', () => {
  const manifests = ['config', 'secrets.example', 'web', 'api'].flatMap((name) =>
    parseAllDocuments(readFileSync(`deploy/kubernetes/${name}.yaml`, 'utf8')).map(
      (document) => document.toJS() as Manifest,
    ),
  );
  const find = (kind: string, name: string) =>
    manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);

  /** The environment of a container from its ConfigMaps and Secrets. */
  function environmentOf(program: string): Record<string, string> {
    const { spec } = find('Deployment', program) as Deployment;
    const sources = spec.template.spec.containers[0].envFrom.map(({ configMapRef, secretRef }) =>
      configMapRef ? find('ConfigMap', configMapRef.name) : find('Secret', secretRef?.name ?? ''),
    );
    return Object.assign(
      {},
      ...sources.map((source) => ({ ...source?.data, ...source?.stringData })),
    ) as Record<string, string>;
  }

  const problems = (read: (env: Record<string, string>) => unknown, env: Record<string, string>) =>
    refusedVariables(() => read(env));

  it.each([
    [
      'the web application',
      'web',
      readEnv,
      {
        SESSION_SECRET: 'a-secret-of-at-least-thirty-two-characters',
        SESSION_SALT: 'a-salt',
        ZITADEL_DOMAIN: 'https://id.example.com',
        ZITADEL_CLIENT_ID: '1',
      },
    ],
    [
      'the API',
      'api',
      readApiEnv,
      { IDP_AUTHORITY: 'https://id.example.com', ZITADEL_API_KEY_FILE: apiKey(), IDP_PROJECT_ID: '1' },
    ],
  ])('configure %s completely once the placeholders are replaced', (_, program, read, filled) => {
    const deployed = environmentOf(program);
    expect(problems(read, deployed).sort()).toEqual(Object.keys(filled).sort());
    expect(problems(read, { ...deployed, ...filled })).toEqual([]);
  });
});

describe('compose.yaml', () => {
  it('lets Zitadel reach the web application for back-channel logout', () => {
    const { services } = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
      services: Record<'web' | 'zitadel', { networks: string[]; environment: Record<string, string> }>;
    };
    const { zitadel, web } = services;
    expect(web.networks.some((network) => zitadel.networks.includes(network))).toBe(true);
    const denied = zitadel.environment['ZITADEL_HTTPCLIENT_DENYLIST'];
    // Zitadel denies all private networks when the variable is empty or missing.
    expect(denied).toBeTruthy();
    expect(denied).not.toMatch(/\b(10|172|192)\./);
  });
});

describe('the nginx configuration of docs/deploy.md', () => {
  it('passes the address of the client and forms of 30 kB, and hides /metrics', async () => {
    const [port, appPort] = [await freePort(), await freePort()];
    const { cert, private: key } = await generate([{ name: 'commonName', value: 'app.example.com' }]);
    const files = { 'app.pem': cert, 'app.key': key };
    for (const [name, content] of Object.entries(files)) writeFileSync(join(scratch, name), content);
    const web = runProgram(process.execPath, [resolve('dist/main.js')], {
      NODE_ENV: 'production',
      PORT: String(appPort),
      SESSION_SECRET: 'a-secret-of-at-least-thirty-two-characters',
      SESSION_SALT: 'a-salt',
      ZITADEL_DOMAIN: 'http://localhost:9',
      ZITADEL_CLIENT_ID: '1',
      ZITADEL_CALLBACK_URL: 'https://app.example.com/auth/callback',
      AUTH_RATE_LIMIT: '1',
      TRUSTED_PROXIES: '127.0.0.1',
    });
    await web.says('Ready at');
    const site = /```nginx\n([^`]*)```/.exec(readFileSync('docs/deploy.md', 'utf8'))?.[1] ?? '';
    const nginx = await runNginx(
      port,
      site
        .replace('listen 443', `listen ${port}`)
        .replace('127.0.0.1:3000', `127.0.0.1:${appPort}`)
        .replaceAll('/etc/nginx/tls', scratch),
    );
    try {
      const ask = (localAddress: string, path: string, claimed: string, body = '') =>
        new Promise<number | undefined>((answered, failed) => {
          request(
            `https://127.0.0.1:${port}${path}`,
            {
              localAddress,
              method: body ? 'POST' : 'GET',
              headers: { 'x-forwarded-for': claimed },
              rejectUnauthorized: false,
              agent: false,
            },
            (response) => response.resume().on('end', () => answered(response.statusCode)),
          )
            .on('error', failed)
            .end(body);
        });
      // All of 127.0.0.0/8 is loopback.
      expect(await ask('127.0.0.2', '/auth/initiate', '192.0.2.1')).toBe(400);
      expect(await ask('127.0.0.2', '/auth/initiate', '192.0.2.2')).toBe(429);
      expect(await ask('127.0.0.3', '/auth/initiate', '192.0.2.2')).toBe(400);
      expect(await ask('127.0.0.3', '/metrics', '192.0.2.2')).toBe(404);
      // The form is larger than the buffer of nginx.
      const form = `csrfToken=${'x'.repeat(30_000)}`;
      expect(await ask('127.0.0.4', '/auth/logout', '192.0.2.2', form)).toBe(403);
    } finally {
      await Promise.all([nginx.stop(), web.stop()]);
    }
  }, 30_000);
});

describe('the image', () => {
  const image = join(scratch, 'image');
  const running: RunningProgram[] = [];
  afterEach(() => Promise.all(running.splice(0).map((program) => program.stop('SIGKILL'))));

  // Does what `docker build` does for the last stage of the Dockerfile; `npm test` has built the stage `build`.
  beforeAll(() => {
    const last = stagesOf(readFileSync('Dockerfile', 'utf8')).at(-1)?.lines ?? [];
    for (const line of last.filter((text) => text.startsWith('COPY'))) copy(line, image);
    writeFileSync(join(scratch, 'api-key.json'), apiKey());
    execFileSync('chmod', ['-R', 'a-w,a+rX', image]);
    chmodSync(scratch, 0o755);
  }, 180_000);

  /** Starts a program as the image does: as user 1000 if this is root, and without write access to files. */
  function start(args: string[], env: Record<string, string>) {
    const may = ['--permission', '--experimental-permission', '--allow-net'].filter((flag) =>
      process.allowedNodeEnvironmentFlags.has(flag),
    );
    const flags = may.includes('--permission')
      ? may.filter((flag) => flag !== '--experimental-permission')
      : may;
    const node = [process.execPath, ...flags, '--allow-fs-read=*', ...args];
    const [command = '', ...rest] =
      process.getuid?.() === 0
        ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups', ...node]
        : node;
    const program = runProgram(command, rest, { NODE_ENV: 'production', ...env }, image);
    running.push(program);
    return program;
  }

  it('runs the web application and ends at SIGTERM', async () => {
    const port = String(await freePort());
    const program = start(['dist/main.js'], {
      PORT: port,
      SESSION_SECRET: 'a-secret-of-at-least-thirty-two-characters',
      SESSION_SALT: 'a-salt',
      ZITADEL_DOMAIN: 'http://localhost:9',
      ZITADEL_CLIENT_ID: '1',
      ZITADEL_CALLBACK_URL: 'https://app.example.com/auth/callback',
    });
    await program.says('Ready at');
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(200);
    expect((await fetch(`http://127.0.0.1:${port}/static/app.css`)).status).toBe(200);
    await program.stop('SIGTERM');
  }, 30_000);

  it('runs the API and ends at SIGTERM', async () => {
    const port = String(await freePort());
    const program = start(['dist/api/main.js'], {
      APP_PORT: port,
      IDP_AUTHORITY: 'http://localhost:9',
      ZITADEL_API_KEY_FILE: join(scratch, 'api-key.json'),
      IDP_PROJECT_ID: '1',
    });
    await program.says('Ready at');
    expect((await fetch(`http://127.0.0.1:${port}/api/v1/app`)).status).toBe(401);
    await program.stop('SIGTERM');
  }, 30_000);

  it('serves Swagger UI with API_SWAGGER=true', async () => {
    const port = String(await freePort());
    const program = start(['dist/api/main.js'], {
      APP_PORT: port,
      IDP_AUTHORITY: 'http://localhost:9',
      ZITADEL_API_KEY_FILE: join(scratch, 'api-key.json'),
      API_SWAGGER: 'true',
    });
    await program.says('Ready at');
    const page = await fetch(`http://127.0.0.1:${port}/api`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('swagger-ui-bundle.js')]);
    expect((await fetch(`http://127.0.0.1:${port}/api/swagger-ui-bundle.js`)).status).toBe(200);
  }, 30_000);

  it('contains only dist, package.json, public and views', () => {
    expect(readdirSync(image).sort()).toEqual(['dist', 'package.json', 'public', 'views']);
  });

  it('contains the licenses of all bundled packages', () => {
    const notices = readFileSync(join(image, 'dist/THIRD-PARTY-LICENSES.txt'), 'utf8').split(/\n-{80}\n\n/);
    const named = notices.map((notice) => notice.split(' ')[0]);
    expect(named).toEqual(expect.arrayContaining(['@nestjs/core', 'express', 'handlebars', 'ioredis']));
    expect(named).not.toContain('@mridang/nestjs-auth');
    const licence = /^\S+ \d\S*: (\(?[A-Z\d]|see below\n\n\S)/;
    expect(notices.filter((notice) => !licence.test(notice))).toEqual([]);
  });

  describe('a health check', () => {
    let server: Server | undefined;
    afterEach(() => void server?.close());

    const compose = parse(readFileSync('compose.yaml', 'utf8'), { merge: true }) as {
      services: { api: { healthcheck: { test: string[] } } };
    };
    const ofImage = JSON.parse(
      /HEALTHCHECK[^[]*(\[.*\])/.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '',
    ) as string[];
    const checks: [string, string[]][] = [
      ['of the image', ofImage],
      ['of the API in compose.yaml', compose.services.api.healthcheck.test.slice(1)],
    ];

    it.each(checks)('%s succeeds when /health/live returns 200 and fails otherwise', async (_, check) => {
      let answer = 200;
      const port = String(await freePort());
      server = createServer((request, response) =>
        response.writeHead(request.url === '/health/live' ? answer : 404).end(),
      );
      await new Promise<void>((listening) => server?.listen(Number(port), '127.0.0.1', listening));
      const [, ...args] = check.map((part) => part.replace(':3001/', `:${port}/`));
      const ask = () => runProgram(process.execPath, args, { PORT: port }).exit;
      expect(await ask()).toBe(0);
      answer = 503;
      expect(await ask()).toBe(1);
      server.closeAllConnections();
      await new Promise((closed) => server?.close(closed));
      expect(await ask()).toBe(1);
    });
  });
});

/** The stages of a Dockerfile with one instruction per line. */
function stagesOf(dockerfile: string) {
  const text = dockerfile.replace(/^\s*#.*\n/gm, '').replace(/\\\n\s*/g, '');
  return text
    .split(/^FROM /m)
    .slice(1)
    .map((stage) => {
      const [from = '', ...lines] = stage.split('\n');
      return { name: from.split(' ')[2], lines: lines.filter(Boolean) };
    });
}

/** Executes `COPY [--from=stage] source… target`: a folder is copied by its content, and a target ending in / is a folder. */
function copy(instruction: string, into: string) {
  const paths = instruction.split(/\s+/).filter((word) => word !== 'COPY' && !word.startsWith('--'));
  const target = paths.pop() ?? '';
  for (const path of paths) {
    const source = resolve(path.replace('/app/', ''));
    const to = join(into, target, target.endsWith('/') ? basename(source) : '');
    mkdirSync(dirname(to), { recursive: true });
    cpSync(source, to, { recursive: true });
  }
}

function apiKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' });
  return JSON.stringify({ type: 'application', keyId: '1', key, appId: '2', clientId: '3' });
}
