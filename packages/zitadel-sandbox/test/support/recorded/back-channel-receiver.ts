import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import type { LiveClient, LiveValues } from './live-values.js';
import type { Names } from './names.js';
import type { Exchange } from './recording.js';
import { valueDifferences } from './value-comparison.js';

interface Received {
  method: string | undefined;
  headers: IncomingHttpHeaders;
  form: Record<string, string>;
}

const waitMs = 2000;
const silenceMs = 100;

/** The back-channel logout endpoint of an application; compares its requests with the recorded ones. */
export class BackChannelReceiver {
  private readonly received: Received[] = [];
  private readonly server: Server;

  static async start(): Promise<BackChannelReceiver> {
    const receiver = new BackChannelReceiver();
    receiver.server.listen(0, '127.0.0.1');
    await once(receiver.server, 'listening');
    return receiver;
  }

  private constructor() {
    this.server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        const { method, headers } = request;
        this.received.push({ method, headers, form: Object.fromEntries(new URLSearchParams(body)) });
        response.end();
      });
    });
  }

  get uri(): string {
    return `http://localhost:${(this.server.address() as AddressInfo).port}/auth/backchannel`;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  async differences(exchange: Exchange, live: LiveClient, names: Names): Promise<string[]> {
    const app = exchange.name.includes('Login V1') ? 'second' : 'web';
    const values = await live.tokens({ app });
    await this.endLogin(exchange.name, live, values);
    const sid = decodeJwt(values.id_token ?? '')['sid'];
    const arrived = await this.arrived(sid, exchange.request ? waitMs : silenceMs);
    if (!exchange.request) return arrived ? ['a request was sent'] : [];
    if (!arrived) return ['nothing was sent'];
    const headers = { ...arrived.headers };
    for (const name of ['host', 'content-length', 'connection']) delete headers[name];
    const { method, form } = arrived;
    const recorded = { method: 'POST', headers: exchange.request.headers, form: exchange.request.form };
    return valueDifferences(recorded, { method, headers, form }, names, 'request');
  }

  private async endLogin(name: string, live: LiveClient, values: LiveValues): Promise<void> {
    if (name === 'refresh token revoked') {
      const client_id = live.sandbox.clients.web.clientId;
      await live.post('/oauth/v2/revoke', { token: values.refresh_token, client_id });
    } else if (name.includes('without hint')) {
      const client_id = live.sandbox.clients.second.clientId;
      await live.get('/oidc/v1/end_session', { client_id }, { Cookie: values.cookie ?? '' });
    } else await live.get('/oidc/v1/end_session', { id_token_hint: values.id_token });
  }

  private async arrived(sid: unknown, forMs: number): Promise<Received | undefined> {
    const stepMs = 10;
    for (let waited = 0; waited <= forMs; waited += stepMs) {
      const found = this.received.find(({ form }) => decodeJwt(form['logout_token'] ?? '')['sid'] === sid);
      if (found) return found;
      await pause(stepMs);
    }
    return undefined;
  }
}
