// A relay in front of Zitadel that can be closed and records the tokens that pass.
import { createServer, connect } from 'node:net';

/** A token response may arrive in parts. */
const TAIL_LENGTH = 20_000;

/**
 * A relay in front of a server on this machine.
 *
 * @param {number} target the port of the server
 * @param {{ onToken: (kind: string, token: string) => void, onRefresh: () => void }} listeners `onToken`: a token was passed
 *   on to a client that was still connected; `onRefresh`: a refresh was requested
 */
export async function openGate(target, { onToken, onRefresh }) {
  const sockets = new Set();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ]) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    let tail = '';
    const seen = new Set();
    upstream.on('data', (data) => {
      tail = (tail + data.toString('latin1')).slice(-TAIL_LENGTH);
      if (client.destroyed) return;
      for (const [, kind, token] of tail.matchAll(/"(access_token|refresh_token|id_token)":"([^"]+)"/g))
        if (!seen.has(token)) onToken(kind, seen.add(token) && token);
    });
    client.on('data', (data) => {
      if (data.includes('grant_type=refresh_token')) onRefresh();
    });
  });
  const listen = (port) =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)));
  await listen(0);
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    port,
    open: () => listen(port),
    /** Refuses new connections and closes the open ones. */
    shut() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
