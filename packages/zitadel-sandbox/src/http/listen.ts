import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

const maxTries = 20;
const lastPort = 65535;

/** What a server written in Go, as Zitadel is, takes by default: access tokens may be JWTs with hundreds of roles. */
const maxHeaderSize = 1024 * 1024;

/** The port is taken; the message is one line for people. */
export class PortInUseError extends Error {
  constructor(readonly port: number) {
    const other = port < lastPort ? port + 1 : 0;
    super(`Port ${port} is in use. Stop what listens there or choose another port: --port ${other}`);
  }
}

/** An HTTP listener on the loopback addresses of one port. */
export interface Listener {
  port: number;
  /** the addresses that are bound, as the system names them */
  addresses: string[];
  /** Says who answers. Requests that came before are answered now. */
  answer(listener: RequestListener): void;
  /** Frees the port at once, open connections included. */
  close(): Promise<void>;
}

/** Listens on 127.0.0.1 and, where the machine has it, on ::1: `localhost` may be either. */
export async function listen(port: number): Promise<Listener> {
  let answer: (listener: RequestListener) => void = () => undefined;
  const answering = new Promise<RequestListener>((resolve) => (answer = resolve));
  const create = (): Server =>
    createServer({ maxHeaderSize }, (request, response) => {
      void answering.then((listener) => listener(request, response));
    });
  for (let tries = 1; ; tries++) {
    const v4 = create();
    const v6 = create();
    await listenOn(v4, '127.0.0.1', port);
    const actual = (v4.address() as AddressInfo).port;
    try {
      const hasV6 = await listenOn(v6, '::1', actual);
      return { ...listenerOf(actual, hasV6 ? [v4, v6] : [v4]), answer };
    } catch (error) {
      await close(v4);
      if (port !== 0 || tries === maxTries) throw error;
    }
  }
}

function listenerOf(port: number, servers: Server[]): Omit<Listener, 'answer'> {
  return {
    port,
    addresses: servers.map((server) => (server.address() as AddressInfo).address),
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

/** False when the machine has no such address. */
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
