import { once } from 'node:events';
import { createServer } from 'node:net';

/** Fails where `listen` would, with `EADDRINUSE` for one: before a program that cannot run says anything else. */
export async function checkPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
