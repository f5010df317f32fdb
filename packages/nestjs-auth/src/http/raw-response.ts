import type { ServerResponse } from 'node:http';
import type { HttpResponse } from '../auth.types.js';

/** The Node response below an Express response or a Fastify reply. */
export const rawResponse = (response: HttpResponse): ServerResponse =>
  'raw' in response ? response.raw : response;
