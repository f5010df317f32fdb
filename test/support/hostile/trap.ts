import { listening } from '../listening.js';

/** A server that must get no request: records all that it gets. */
export async function startTrap() {
  const visits: string[] = [];
  const { origin, ...server } = await listening((request, response) => {
    visits.push(`${request.method} ${request.url}`);
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  return { origin, visits, close: () => server.close() };
}
