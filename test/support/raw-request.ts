import { connect } from 'node:net';

/** Sends a request line that no client library would, and gives the whole answer. */
export function rawRequest(origin: string, requestLine: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port, host } = new URL(origin);
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
    socket.write(`${requestLine}\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}
