import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** Connections that fill the accept queue of a server that accepts none. */
const QUEUE = 4;

/** An address where connections are neither established nor refused, as behind a firewall that drops packets. */
export async function startUnreachable(): Promise<{ origin: string; close(): void }> {
  const program = `const server = require('node:net').createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      require('node:fs').writeSync(1, server.address().port + '\\n');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [port] = (await once(createInterface(child.stdout), 'line')) as [string];
  const sockets: Socket[] = [];
  for (let count = 0; count < QUEUE; count++)
    sockets.push(connect(Number(port), '127.0.0.1').on('error', () => undefined));
  // Connections that fit into the queue are established at once.
  await once(sockets[0] as Socket, 'connect');
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      sockets.forEach((socket) => socket.destroy());
      child.kill('SIGKILL');
    },
  };
}
