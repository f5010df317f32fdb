import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from './installed.js';
import { listens } from './redis.js';
import { runProgram } from './run-program.js';

/** A real nginx with default limits on `port`, which gives each request to the next of the servers. */
export async function startNginx(port: number, servers: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'nginx-'));
  mkdirSync(join(folder, 'logs'));
  const file = join(folder, 'nginx.conf');
  // Paths are all that is set: sizes and times are those nginx has by itself.
  writeFileSync(
    file,
    `daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`).join('\n  ')}
  upstream app {
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
  }
}
`,
  );
  const program = runProgram(installed('nginx', 'nginx-light'), ['-p', folder, '-c', file]);
  await listens(port);
  return { output: () => program.output(), stop: () => program.stop('SIGTERM') };
}
