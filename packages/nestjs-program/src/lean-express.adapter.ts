import {
  createServer,
  IncomingMessage,
  maxHeaderSize as defaultMaxHeaderSize,
  ServerResponse,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { Logger, type NestApplicationOptions } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';

type Express = RequestListener & { request: object; response: object };

/** Idle connections are closed after a grace period, longer where a request came within `BUSY_MS`: clients may send the next one. */
const BUSY_MS = 100;
const BUSY_GRACE_MS = 1_000;
const GRACE_MS = 100;

const CHECK_MS = 50;

const QUIET_TURNS = 3;
const MAX_QUEUE_MS = 1_000;

/** Node's answers to parser errors, other than 400. */
const statusOf: Record<string, string> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: '413 Payload Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/**
 * An Express adapter whose requests and responses are created with Express's prototypes. Express itself calls
 * `Object.setPrototypeOf` for each, and V8 retains what such objects refer to until the next full garbage collection: more than half
 * of the time of a page (`bench/README.md`). The options `httpsOptions` and `forceCloseConnections` are not supported.
 */
export class LeanExpressAdapter extends ExpressAdapter {
  private readonly log = new Logger('HTTP');
  private readonly sockets = new Set<Socket>();
  private isDraining = false;
  /** `performance.now()` of the last answer on a connection that stays open */
  private keptAt = 0;

  constructor(private readonly serverOptions: Pick<ServerOptions, 'maxHeaderSize'> = {}) {
    super();
  }

  /** Whether `drain` has begun. */
  get isStopping(): boolean {
    return this.isDraining;
  }

  override initHttpServer(options: NestApplicationOptions) {
    super.initHttpServer(options);
    const express = this.getInstance<Express>();
    const begin = (response: ServerResponse) => {
      if (this.isDraining) response.shouldKeepAlive = false;
      else this.keptAt = performance.now();
    };
    class Request extends IncomingMessage {}
    class Response extends ServerResponse {
      override writeHead(...args: unknown[]) {
        begin(this);
        return super.writeHead(...(args as [number]));
      }
    }
    express.request = Object.setPrototypeOf(Request.prototype, express.request) as object;
    express.response = Object.setPrototypeOf(Response.prototype, express.response) as object;
    const server = createServer(
      { ...this.serverOptions, IncomingMessage: Request, ServerResponse: Response },
      express,
    );
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    server.on('clientError', (error, socket) => this.refuse(error, socket as Socket));
    this.httpServer = server;
  }

  /** Answers malformed requests as Node.js does, and names the limit where headers are too long (RFC 6585 5). */
  private refuse({ code = '' }: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const maxBytes = this.serverOptions.maxHeaderSize ?? defaultMaxHeaderSize;
    const text = code === 'HPE_HEADER_OVERFLOW' ? `The headers are longer than ${maxBytes} bytes\n` : '';
    if (text) this.log.warn(`A request was answered 431: its headers are longer than ${maxBytes} bytes`);
    socket.end(
      [
        `HTTP/1.1 ${statusOf[code] ?? '400 Bad Request'}`,
        'Connection: close',
        'Content-Type: text/plain; charset=utf-8',
        `Content-Length: ${text.length}`,
        '',
        text,
      ].join('\r\n'),
    );
  }

  /**
   * Graceful shutdown: stops listening, answers requests on open connections with `Connection: close`, and resolves when all
   * connections are closed, at the latest after `limitMs`.
   *
   * @returns number of connections that were closed with requests in flight
   */
  async drain(limitMs: number): Promise<number> {
    const server = this.httpServer as Server;
    let cut = 0;
    const limit = setTimeout(() => {
      cut = this.sockets.size;
      server.closeAllConnections();
    }, limitMs);
    this.isDraining = true;
    const isBusy = performance.now() - this.keptAt < BUSY_MS;
    const { closed } = await this.stopListening(server);
    const closeFrom = performance.now() + (isBusy ? BUSY_GRACE_MS : GRACE_MS);
    const closeIdle = setInterval(() => {
      // Read data that has arrived before connections count as idle.
      if (performance.now() >= closeFrom) setImmediate(() => this.closeIdle(server));
    }, CHECK_MS);
    await closed;
    clearInterval(closeIdle);
    clearTimeout(limit);
    return cut;
  }

  /**
   * Resolves when the listening socket is closed. What waits in the kernel's accept queue at that moment is lost, and the queue
   * counts as empty after three event-loop turns without a new connection.
   */
  private async stopListening(server: Server): Promise<{ closed: Promise<void> }> {
    let accepted = 0;
    server.on('connection', () => accepted++);
    const until = performance.now() + MAX_QUEUE_MS;
    for (let quietTurns = 0; quietTurns < QUIET_TURNS && performance.now() < until;) {
      const before = accepted;
      await turn();
      quietTurns = accepted === before ? quietTurns + 1 : 0;
    }
    // `close` of an HTTP server would close idle connections at once.
    return { closed: new Promise((done) => TcpServer.prototype.close.call(server, () => done())) };
  }

  /** Node.js counts a connection as idle while its answer is being sent, and one without any request as busy. */
  private closeIdle(server: Server) {
    const sockets = [...this.sockets];
    if (sockets.every(({ writableLength }) => writableLength === 0)) server.closeIdleConnections();
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  }
}
