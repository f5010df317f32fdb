import { escapeHtml } from './pages/html.js';
import type { Context } from './provider.js';

/** Redirects as a server written in Go does: a link for GET, nothing for other methods. */
export function redirect(ctx: Context, target: string): void {
  // a header holds ASCII only, a registered URI may hold more
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
