import type { AuthRequest } from './auth-request.js';
import { escapeHtml } from './pages/html.js';
import type { Context } from './provider.js';
import { withQuery } from './redirect-uris.js';

/**
 * Brings the outcome of a login to the client's redirect URI, with its `state`. There is no `iss` and no
 * `session_state` in it.
 */
export function answerWith(
  ctx: Context,
  { redirectUri, responseMode, state }: Pick<AuthRequest, 'redirectUri' | 'responseMode' | 'state'>,
  outcome: Record<string, string | undefined>,
): void {
  const parameters = { ...outcome, state };
  if (responseMode === 'form_post') {
    ctx.type = 'html';
    ctx.body = selfPostingForm(redirectUri, parameters);
    return;
  }
  ctx.status = ctx.method === 'POST' ? 303 : 302;
  ctx.set(
    'Location',
    responseMode === 'fragment' ? withFragment(redirectUri, parameters) : withQuery(redirectUri, parameters),
  );
  ctx.body = '';
}

function withFragment(uri: string, parameters: Record<string, string | undefined>): string {
  const given = Object.entries(parameters).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return `${uri}#${new URLSearchParams(given).toString()}`;
}

function selfPostingForm(action: string, parameters: Record<string, string | undefined>): string {
  const inputs = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value ?? '')}">`,
    );
  return `<!doctype html><html lang="en"><title>Back to the application</title><body onload="document.forms[0].submit()">
<form method="post" action="${escapeHtml(action)}">${inputs.join('')}<button type="submit">Continue</button></form></body></html>`;
}
