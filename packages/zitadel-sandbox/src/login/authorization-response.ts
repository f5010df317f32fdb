import { answerHtml, escapeHtml, redirect } from '../http/answers.js';
import { withFragment, withQuery } from '../http/uris.js';
import type { Context } from '../storage/provider.js';
import type { AuthRequest } from './auth-request.js';

const submitFirstForm = 'document.forms[0].submit()';

/**
 * Brings the outcome of a login to the client's redirect URI, with its `state`. There is no `iss` and no
 * `session_state` in it. Login V2 knows no form_post.
 */
export function answerWith(
  ctx: Context,
  {
    redirectUri,
    responseMode,
    state,
    loginVersion,
  }: Pick<AuthRequest, 'redirectUri' | 'responseMode' | 'state' | 'loginVersion'>,
  outcome: Record<string, string | undefined>,
): void {
  const parameters = sorted({ ...outcome, state });
  if (responseMode === 'form_post' && loginVersion === 1) {
    // an answer of the protocol, wherever it is given
    ctx.set('Vary', ['Origin', 'Cookie']);
    answerHtml(ctx, selfPostingForm(redirectUri, parameters), { script: submitFirstForm });
    return;
  }
  redirect(
    ctx,
    responseMode === 'fragment' ? withFragment(redirectUri, parameters) : withQuery(redirectUri, parameters),
  );
}

// a server written in Go writes them by name
function sorted(parameters: Record<string, string | undefined>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function selfPostingForm(action: string, parameters: Record<string, string | undefined>): string {
  const inputs = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) =>
        `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value ?? '')}">`,
    );
  return `<!doctype html><html lang="en"><title>Back to the application</title><body onload="${submitFirstForm}">
<form method="post" action="${escapeHtml(action)}">${inputs.join('')}<button type="submit">Continue</button></form></body></html>`;
}
