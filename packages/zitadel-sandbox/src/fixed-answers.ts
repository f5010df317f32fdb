import { answerText, redirect } from './http/answers.js';
import { deviceV1Path } from './login/paths.js';
import type { Context } from './storage/provider.js';

type Answer = (ctx: Context) => void;

const text = 'text/plain; charset=utf-8';
const json = 'application/json';

/** Zitadel's responses at paths outside the protocol and the login UI. */
export const fixedAnswers = new Map<string, Answer>([
  ['/', (ctx) => redirect(ctx, '/ui/login')],
  ['/device', toDevicePage],
  ['/robots.txt', (ctx) => say(ctx, text, 'User-agent: *\nDisallow: /\n')],
  ['/debug/healthz', (ctx) => say(ctx, text, 'ok')],
  ['/debug/ready', (ctx) => say(ctx, json, '"ok"\n')],
  ['/healthz', answerHealth],
]);

/** Zitadel's response at any other path. */
export function answerUnknown(ctx: Context): void {
  ctx.set('Vary', 'Origin');
  ctx.status = 404;
  ctx.body = { code: 5, message: 'Not Found' };
}

/** Zitadel's response at an unknown path of the protocol. */
export function answerUnknownEndpoint(ctx: Context): void {
  answerText(ctx, 404, '404 page not found');
}

function toDevicePage(ctx: Context): void {
  redirect(ctx, `${deviceV1Path}${ctx.search}`);
}

function answerHealth(ctx: Context): void {
  ctx.set('Vary', ['Origin', 'Cookie']);
  ctx.set('Set-Cookie', 'zitadel.quota.exhausted=; Path=/; Max-Age=0; SameSite=Lax');
  ctx.body = { status: 'SERVING' };
}

function say(ctx: Context, type: string, body: string): void {
  ctx.set('Content-Type', type);
  ctx.body = body;
}
