import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { ConfigError } from '../src/config/config-error.js';
import { readEnv } from '../src/config/env.js';
import { freePort } from './support/free-port.js';
import { runProgram, type RunningProgram } from './support/run-program.js';

const scratch = mkdtempSync(join(tmpdir(), 'deploy-'));
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', scratch]);
  rmSync(scratch, { recursive: true });
});

const web = 'deploy/kubernetes/web.yaml';
const api = 'deploy/kubernetes/api.yaml';
const config = 'deploy/kubernetes/config.yaml';
const policies = 'deploy/kubernetes/network-policies.yaml';

/** What somebody might change by mistake, and what they are told. */
const mistakes: [what: string, file: string, from: string | RegExp, to: string, told: string][] = [
  ['a field Kubernetes does not know', web, 'maxSurge:', 'maxSurges:', 'maxSurges"\' does not exist'],
  [
    'a field deep inside',
    web,
    'readOnlyRootFilesystem',
    'readOnlyRootFs',
    'readOnlyRootFs"\' does not exist',
  ],
  ['a value of another type', web, 'maxReplicas: 6', 'maxReplicas: six', 'maxReplicas'],
  ['a required field left out', web, / {2}scaleTargetRef:\n.*\n.*\n.*\n/, '', 'scaleTargetRef'],
  ['an API there is no more', web, 'policy/v1', 'policy/v1beta9', 'not in policy/v1beta9'],
  ['a key twice', web, 'maxUnavailable: 0', 'maxSurge: 2', 'Map keys must be unique'],
  [
    'a selector for other pods',
    web,
    'app.kubernetes.io/name: web\n  strategy',
    'name: w\n  strategy',
    'does not select its pods',
  ],
  ['a port without a listener', config, "PORT: '3000'", "PORT: '3002'", 'the program listens elsewhere'],
  ['a service port of no pod', web, 'targetPort: http', 'targetPort: https', 'have no port https'],
  [
    'an autoscaler of nothing',
    web,
    /(scaleTargetRef:\n.*\n.*\n {4}name:) web/,
    '$1 www',
    'no Deployment www',
  ],
  ['an autoscaler down to one', web, 'minReplicas: 2', 'minReplicas: 1', 'fewer than two pods'],
  ['a probe of a page', web, '/health/ready', '/', 'readinessProbe asks /'],
  ['too little time to end', web, 'GracePeriodSeconds: 25', 'GracePeriodSeconds: 15', 'is killed before'],
  ['a program run by root', api, 'runAsUser: 1000', 'runAsUser: 0', 'may run as root'],
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
  ['a secret of another name', api, 'secretName: api-key', 'secretName: key', 'no Secret key'],
  [
    'a variable nobody reads',
    config,
    'ZITADEL_CALLBACK_URL',
    'CALLBACK_URL',
    'CALLBACK_URL is not in docs/configuration.md',
  ],
  ['a variable left out', config, /\n.*ZITADEL_CLIENT_ID.*/, '', 'ZITADEL_CLIENT_ID is missing'],
  ['another Redis', config, 'redis://redis:6379', 'redis://redis:6380', 'REDIS_URL is not the Service redis'],
  ['a rule for the wrong port', policies, 'port: 6379', 'port: 6380', 'pods of redis have no port 6380'],
  [
    'nothing denied',
    policies,
    'name: default-deny',
    'name: default-deny\nspec: {podSelector: {}}\n---\nkind: x',
    'denies by default',
  ],
  [
    'a host without TLS',
    'deploy/kubernetes/ingress.yaml',
    '[app.example.com, ',
    '[',
    'no TLS for app.example.com',
  ],
  ['a route to nowhere', 'deploy/kubernetes/ingress.yaml', 'name: web', 'name: www', 'no Service www'],
  [
    'secrets applied',
    'deploy/kubernetes/kustomization.yaml',
    '  - web.yaml',
    '  - secrets.example.yaml',
    'applies secrets.example.yaml',
  ],
  [
    'a field compose does not know',
    'compose.yaml',
    'stop_grace_period',
    'stop_grace',
    'must NOT have additional properties',
  ],
  [
    'a port open to the network',
    'compose.yaml',
    "'127.0.0.1:${PORT",
    "'${PORT",
    'without specifying the interface',
  ],
  [
    'a service that is not there',
    'compose.yaml',
    'redis: { condition',
    'redys: { condition',
    'depends on redys',
  ],
  ['a container that can write', 'compose.yaml', 'read_only: true', 'read_only: false', 'is writable'],
  [
    'a variable that does not reach',
    'compose.yaml',
    'SESSION_SALT:',
    'SESSION_SALD:',
    'SESSION_SALT is missing',
  ],
  ['an image run by root', 'Dockerfile', 'USER 1000:1000', 'USER root', 'runs as root'],
  [
    'a file that is not there',
    'Dockerfile',
    'COPY views views',
    'COPY view views',
    'copies view, which there is not',
  ],
  ['a file kept from the build', '.dockerignore', '!views\n', '', 'leaves out views'],
];

describe('the check of what is deployed', () => {
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

  it('finds nothing wrong here', () => {
    const { stderr, status } = spawnSync(process.execPath, ['scripts/check-deploy.mjs'], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  }, 60_000);

  it.each(mistakes.map(([what, , , , told], index) => [what, told, index] as const))(
    'sees %s',
    (_, told, index) => {
      const here = said.filter((line) => line.startsWith(`${folderOf(index)}/`));
      expect(here.join('\n')).toContain(told);
    },
  );
});

describe('the manifests', () => {
  const values = (file: string, name: string) => {
    const documents = parseAllDocuments(readFileSync(`deploy/kubernetes/${file}`, 'utf8')).map(
      (document) => document.toJS() as { metadata: { name: string }; data?: object; stringData?: object },
    );
    const found = documents.find(({ metadata }) => metadata.name === name);
    return { ...found?.data, ...found?.stringData } as Record<string, string>;
  };
  const deployed = { ...values('config.yaml', 'web'), ...values('secrets.example.yaml', 'web') };
  const problems = (env: Record<string, string>) => {
    try {
      readEnv(env);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map(({ variable }) => variable);
    }
  };

  it('start the web application once the placeholders are filled in, and not before', () => {
    expect(problems(deployed)).toEqual([
      'SESSION_SECRET',
      'SESSION_SALT',
      'ZITADEL_DOMAIN',
      'ZITADEL_CLIENT_ID',
    ]);
    expect(
      problems({
        ...deployed,
        SESSION_SECRET: 'a-secret-of-at-least-thirty-two-characters',
        SESSION_SALT: 'a-salt',
        ZITADEL_DOMAIN: 'https://id.example.com',
        ZITADEL_CLIENT_ID: '1',
      }),
    ).toEqual([]);
  });
});

describe('the image', () => {
  const image = join(scratch, 'image');
  const running: RunningProgram[] = [];
  afterEach(() => Promise.all(running.splice(0).map((program) => program.stop('SIGKILL'))));

  // What `docker build` would do, by the Dockerfile's own lines: `npm test` has built what the stage `build` builds.
  beforeAll(() => {
    const production = join(scratch, 'production');
    const stages = stagesOf(readFileSync('Dockerfile', 'utf8'));
    const last = stages.at(-1)?.lines ?? [];
    for (const line of stages.find(({ name }) => name === 'production')?.lines ?? []) {
      if (line.startsWith('COPY')) copy(line, () => '.', production);
      const command = /^RUN (?:--mount=\S+ )?npm (.*)/.exec(line)?.[1];
      if (command) {
        execFileSync('npm', [...command.split(' '), '--prefer-offline'], {
          cwd: production,
          stdio: 'ignore',
        });
      }
    }
    for (const line of last.filter((text) => text.startsWith('COPY')))
      copy(line, (stage) => (stage === 'production' ? production : '.'), image);
    writeFileSync(join(scratch, 'api-key.json'), apiKey());
    execFileSync('chmod', ['-R', 'a-w,a+rX', image]);
    chmodSync(scratch, 0o755);
  }, 180_000);

  /** Starts a program as the image does: as user 1000, if this is root, and in any case unable to write a file. */
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

  it('answers as the web application, and ends at SIGTERM', async () => {
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

  it('answers as the API, and ends at SIGTERM', async () => {
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

  it('has neither the sandbox, nor what only development needs', () => {
    expect(readdirSync(join(image, 'packages'))).toEqual(['nestjs-auth']);
    expect(readdirSync(join(image, 'packages/nestjs-auth')).sort()).toEqual(['dist', 'package.json']);
    expect(readdirSync(image).sort()).toEqual([
      'dist',
      'node_modules',
      'package.json',
      'packages',
      'public',
      'views',
    ]);
    for (const name of ['zitadel-sandbox', 'oidc-provider', 'typescript', 'jest', 'tailwindcss', '.cache'])
      expect(existsSync(join(image, 'node_modules', name))).toBe(false);
    const installed = readFileSync(join(image, 'node_modules/.package-lock.json'), 'utf8');
    expect(installed).not.toMatch(/sandbox|oidc-provider/);
  });

  describe('its health check', () => {
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

    it.each(checks)('%s follows the answer of /health/live', async (_, check) => {
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

/** The stages of a Dockerfile, an instruction a line. */
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

/** `COPY [--from=stage] source… target`: of a folder its content, and a target that ends in / is a folder. */
function copy(instruction: string, folderOf: (stage: string | undefined) => string, into: string) {
  const stage = /--from=(\S+)/.exec(instruction)?.[1];
  const paths = instruction.split(/\s+/).filter((word) => word !== 'COPY' && !word.startsWith('--'));
  const target = paths.pop() ?? '';
  for (const path of paths) {
    const source = resolve(folderOf(stage), path.replace('/app/', ''));
    const to = join(into, target, target.endsWith('/') ? basename(source) : '');
    mkdirSync(dirname(to), { recursive: true });
    if (stage === 'production') renameSync(source, to);
    else cpSync(source, to, { recursive: true, verbatimSymlinks: true });
  }
}

function apiKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = privateKey.export({ type: 'pkcs1', format: 'pem' });
  return JSON.stringify({ type: 'application', keyId: '1', key, appId: '2', clientId: '3' });
}
