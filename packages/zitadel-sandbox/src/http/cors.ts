import type { Context } from '../storage/provider.js';

const allowedMethods = ['GET', 'HEAD', 'POST', 'OPTIONS'];
const allowedHeaders = [
  ...['authorization', 'content-type', 'accept', 'accept-language'],
  ...['origin', 'x-requested-with'],
];

/** An OPTIONS request without `Access-Control-Request-Method` is not a preflight. */
export function isPreflight(ctx: Context): boolean {
  return ctx.method === 'OPTIONS' && ctx.get('access-control-request-method') !== '';
}

/** Answers a preflight. If it asks for a method or header that is not allowed, the response has no CORS headers. */
export function answerPreflight(ctx: Context): void {
  const method = ctx.get('access-control-request-method');
  const headers = ctx.get('access-control-request-headers');
  ctx.status = 204;
  ctx.set('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  if (!areAllowedHeaders(headers) || !allowOrigin(ctx, method)) return;
  ctx.set('Access-Control-Allow-Methods', method);
  if (headers) ctx.set('Access-Control-Allow-Headers', headers);
}

/** Allows pages of other origins to read the response. */
export function setCorsHeaders(ctx: Context): void {
  if (allowOrigin(ctx, ctx.method)) ctx.set('Access-Control-Expose-Headers', 'Location, Content-Length');
}

function allowOrigin(ctx: Context, method: string): boolean {
  const origin = ctx.get('origin');
  if (!origin || !allowedMethods.includes(method)) return false;
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' });
  return true;
}

function areAllowedHeaders(headers: string): boolean {
  return headers
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .every((name) => name === '' || allowedHeaders.includes(name));
}
