import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const maxTries = 20;
const lastPort = 65535;

/** The default of Go's net/http, which Zitadel uses: an access token may be a JWT with hundreds of roles. */
const maxHeaderSize = 1024 * 1024;

/** Thrown when the port is in use. The message is one line for the command line. */
export class PortInUseError extends Error {
  constructor(readonly port: number) {
    const other = port < lastPort ? port + 1 : 0;
    super(
      `Port ${port} is in use. Stop the program that listens on it, or choose another port: --port ${other}`,
    );
  }
}

/** An HTTP listener on the loopback addresses of one port. */
export interface Listener {
  port: number;
  /** the bound addresses */
  addresses: string[];
  /** Sets the request handler. Requests that arrived earlier wait for it. */
  setHandler(listener: RequestListener): void;
  /** Frees the port and closes open connections. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 and, if the machine has IPv6, on ::1, as `localhost` resolves to either. */
export async function listen(port: number): Promise<Listener> {
  let setHandler: (listener: RequestListener) => void = () => undefined;
  const handler = new Promise<RequestListener>((resolve) => (setHandler = resolve));
  const create = (): Server =>
    createServer({ maxHeaderSize }, (request, response) => {
      void handler.then((listener) => listener(request, response));
    });
  for (let tries = 1; ; tries++) {
    const v4 = create();
    const v6 = create();
    await listenOn(v4, '127.0.0.1', port);
    const actual = (v4.address() as AddressInfo).port;
    try {
      const hasV6 = await listenOn(v6, '::1', actual);
      return { ...listenerOf(actual, hasV6 ? [v4, v6] : [v4]), setHandler };
    } catch (error) {
      await close(v4);
      if (port !== 0 || tries === maxTries) throw error;
    }
  }
}

function listenerOf(port: number, servers: Server[]): Omit<Listener, 'setHandler'> {
  return {
    port,
    addresses: servers.map((server) => (server.address() as AddressInfo).address),
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

/** Returns false when the machine does not have the IPv6 loopback address. */
async function listenOn(server: Server, host: string, port: number): Promise<boolean> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new PortInUseError(port);
    if (host === '::1' && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return false;
    throw error;
  }
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}
