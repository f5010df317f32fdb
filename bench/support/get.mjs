import { request } from 'node:http';

const PATIENCE_MS = 10_000;

/**
 * Sends a `GET` over a new connection: the status and the headers of the response.
 *
 * @param {string} url
 * @param {Record<string, string>} headers
 * @returns {Promise<Pick<import('node:http').IncomingMessage, 'statusCode' | 'headers'>>}
 */
export const get = (url, headers) =>
  new Promise((resolve, reject) => {
    request(url, { headers, agent: false, signal: AbortSignal.timeout(PATIENCE_MS) }, (response) => {
      response.resume().on('end', () => resolve(response));
    })
      .on('error', reject)
      .end();
  });
