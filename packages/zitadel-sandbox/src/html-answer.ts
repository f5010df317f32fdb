import { createHash } from 'node:crypto';
import type { Context } from './provider.js';

const onlyItself = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/** Answers with a page that runs nothing, loads nothing and is shown in no frame; but for `script`, if there is one. */
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
