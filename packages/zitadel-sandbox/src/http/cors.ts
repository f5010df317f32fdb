import type { Context } from '../storage/provider.js';

const allowedMethods = ['GET', 'HEAD', 'POST', 'OPTIONS'];
const allowedHeaders = [
  ...['authorization', 'content-type', 'accept', 'accept-language'],
  ...['origin', 'x-requested-with'],
];

/** An OPTIONS request without a wanted method is an ordinary one. */
export function isPreflight(ctx: Context): boolean {
  return ctx.method === 'OPTIONS' && ctx.get('access-control-request-method') !== '';
}

/** Says what another origin may send; to one that asks for more it says nothing. */
export function answerPreflight(ctx: Context): void {
  const method = ctx.get('access-control-request-method');
  const headers = ctx.get('access-control-request-headers');
  ctx.status = 204;
  ctx.set('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
  if (!areAllowed(headers) || !allowOrigin(ctx, method)) return;
  ctx.set('Access-Control-Allow-Methods', method);
  if (headers) ctx.set('Access-Control-Allow-Headers', headers);
}

/** Lets the page of another origin read the answer. */
export function allowReading(ctx: Context): void {
  if (allowOrigin(ctx, ctx.method)) ctx.set('Access-Control-Expose-Headers', 'Location, Content-Length');
}

function allowOrigin(ctx: Context, method: string): boolean {
  const origin = ctx.get('origin');
  if (!origin || !allowedMethods.includes(method)) return false;
  ctx.set({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true' });
  return true;
}

function areAllowed(headers: string): boolean {
  return headers
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .every((name) => name === '' || allowedHeaders.includes(name));
}
