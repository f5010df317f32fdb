import { createHash } from 'node:crypto';
import type { Context } from '../storage/provider.js';

const onlyItself = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** Sends an HTML page. Its Content-Security-Policy forbids loading, framing, and scripts other than the event handler `script`. */
export function answerHtml(ctx: Context, html: string, { script }: { script?: string } = {}): void {
  ctx.type = 'html';
  ctx.set(
    'Content-Security-Policy',
    script === undefined ? onlyItself : `${onlyItself}; script-src 'unsafe-hashes' '${hashOf(script)}'`,
  );
  ctx.body = html;
}

function hashOf(script: string): string {
  return `sha256-${createHash('sha256').update(script).digest('base64')}`;
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Redirects as Go's http.Redirect does: with a link in the body for GET and HEAD, else with an empty body. */
export function redirect(ctx: Context, target: string): void {
  // a header may contain ASCII only, a registered URI may contain other characters
  const location = target.replaceAll(/[^\x21-\x7e]+/g, encodeURIComponent);
  ctx.status = 302;
  ctx.set('Location', location);
  if (['GET', 'HEAD'].includes(ctx.method)) {
    ctx.set('Content-Type', 'text/html; charset=utf-8');
    ctx.body = `<a href="${escapeHtml(location)}">Found</a>.\n\n`;
    return;
  }
  ctx.body = '';
  ctx.remove('Content-Type');
}

/** Sends an error as Go's http.Error does. */
export function answerText(ctx: Context, status: number, message: string): void {
  ctx.status = status;
  ctx.set('X-Content-Type-Options', 'nosniff');
  ctx.set('Content-Type', 'text/plain; charset=utf-8');
  ctx.body = `${message}\n`;
}
