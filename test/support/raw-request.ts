import { connect } from 'node:net';

/** Sends a request that no client library would send, and returns the whole response. An empty `host` is omitted. */
export function rawRequest(origin: string, requestLine: string, givenHost?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(origin);
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    const hostLine = givenHost === '' ? '' : `Host: ${givenHost ?? host}\r\n`;
    socket.write(`${requestLine}\r\n${hostLine}Connection: close\r\n\r\n`);
  });
}
