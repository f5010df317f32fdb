import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from './installed.js';
import { listens } from './redis.js';
import { runProgram } from './run-program.js';

/** Starts nginx with default limits on `port`, with the servers as upstreams in turn. */
export async function startNginx(port: number, servers: readonly string[]) {
  const nginx = await runNginx(port, balancer(port, servers));
  return { ...nginx, serve: (others: readonly string[]) => nginx.reload(balancer(port, others)) };
}

/** Starts nginx with `http` in its configuration and defaults for sizes, timeouts and retries. */
export async function runNginx(port: number, http: string) {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  // As root, nginx works as another user, who writes long requests and responses to files in this folder.
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'logs'));
  const file = join(folder, 'nginx.conf');
  const write = (text: string) => writeFileSync(file, configuration(folder, text));
  write(http);
  const program = runProgram(installed('nginx', 'nginx-light'), ['-p', folder, '-c', file]);
  await listens(port);
  return {
    output: () => program.output(),
    /** Returns at once: requests in flight finish with the old configuration. */
    reload(other: string) {
      write(other);
      process.kill(program.pid, 'SIGHUP');
    },
    async stop() {
      await program.stop('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const configuration = (folder: string, http: string) => `daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  ${http}
}
`;

const balancer = (port: number, servers: readonly string[]) => `upstream app {
    ${servers.map((server) => `server ${new URL(server).host.replace('localhost', '127.0.0.1')};`).join('\n    ')}
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://app;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
    }
  }`;
