import { answerHtml, escapeHtml, redirect } from '../http/answers.js';
import { withFragment, withQuery } from '../http/uris.js';
import type { Context } from '../storage/provider.js';
import type { AuthRequest } from './auth-request.js';

const submitFirstForm = 'document.forms[0].submit()';

/**
 * Sends the authorization response to the client's redirect URI. As in Zitadel, it contains neither `iss` nor
 * `session_state`, and Login V2 ignores `response_mode=form_post`.
 */
export function sendAuthorizationResponse(
  ctx: Context,
  request: Pick<AuthRequest, 'redirectUri' | 'responseMode' | 'state' | 'loginVersion'>,
  outcome: Record<string, string | undefined>,
): void {
  if (request.responseMode === 'form_post' && request.loginVersion === 1) {
    // the headers of a protocol endpoint, although the login UI may send it
    ctx.set('Vary', ['Origin', 'Cookie']);
    const parameters = sorted({ ...outcome, state: request.state });
    answerHtml(ctx, selfPostingForm(request.redirectUri, parameters), { script: submitFirstForm });
    return;
  }
  redirect(ctx, authorizationResponseUrl(request, outcome));
}

/** The redirect URI with the parameters of the authorization response. */
export function authorizationResponseUrl(
  { redirectUri, responseMode, state }: Pick<AuthRequest, 'redirectUri' | 'responseMode' | 'state'>,
  outcome: Record<string, string | undefined>,
): string {
  const parameters = sorted({ ...outcome, state });
  return responseMode === 'fragment'
    ? withFragment(redirectUri, parameters)
    : withQuery(redirectUri, parameters);
}

// Go's url.Values.Encode sorts parameters by name
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
