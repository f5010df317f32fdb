import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import { page } from './layout.js';

const title = 'Device Authorization';

/** The page to enter the user code of a device. */
export function userCodePage(action: string, userCode: string, error?: string): string {
  return page(
    title,
    `${error === undefined ? '' : `<p class="error" role="alert">${escapeHtml(error)}</p>`}
<form method="get" action="${action}">
<label for="user_code">User Code</label>
<input id="user_code" name="user_code" autocomplete="off" value="${escapeHtml(userCode)}">
<div class="actions"><button type="submit" class="main">Next</button></div>
</form>`,
  );
}

/** The page to allow or deny a device. As in Zitadel, it shows the client id. */
export function allowDevicePage(
  action: string,
  request: { userCode: string; clientId: string; scopes: string[] },
  people: SandboxUser[],
): string {
  const options = people.map(
    ({ loginName, displayName }) =>
      `<option value="${escapeHtml(loginName)}">${escapeHtml(`${displayName} (${loginName})`)}</option>`,
  );
  return page(
    title,
    `<p>You are about to grant device ${escapeHtml(request.clientId)} access to the following scopes:
[${escapeHtml(request.scopes.join(' '))}].</p>
<form method="post" action="${action}">
<input type="hidden" name="user_code" value="${escapeHtml(request.userCode)}">
<label for="loginName">You are</label>
<select id="loginName" name="loginName">${options.join('')}</select>
<div class="actions"><button type="submit" class="main" name="action" value="allowed">Allow</button>
<button type="submit" class="plain" name="action" value="denied">Deny</button></div>
</form>`,
  );
}
