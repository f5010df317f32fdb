import { once } from 'node:events';
import { createServer } from 'node:net';

/** Rejects as `listen` would (`EADDRINUSE`, `EACCES`), before the program logs anything else. */
export async function checkPort(port: number): Promise<void> {
  const server = createServer().listen(port);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}
