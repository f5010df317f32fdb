import type { SandboxUser } from '../../directory/users.js';
import { escapeHtml } from '../../http/answers.js';
import { deviceAllowedV1Path, deviceDeniedV1Path } from '../paths.js';
import { page, withError } from './layout.js';
import type { FormFields } from './login-v1.pages.js';
import { loginForm } from './login.page.js';

const title = 'Device Authorization';

interface Device {
  userCode: string;
  clientId: string;
  scopes: string[];
}

/** The page to enter the user code of a device. */
export function userCodePage(action: string, userCode: string, error?: string): string {
  return page(
    title,
    withError(
      `<form method="get" action="${action}">
<label for="user_code">User Code</label>
<input id="user_code" name="user_code" autocomplete="off" value="${escapeHtml(userCode)}">
<div class="actions"><button type="submit" class="main">Next</button></div>
</form>`,
      error,
    ),
  );
}

/** The page of Login V1 to allow or deny a device after the sign-in. As in Zitadel, it shows the client id. */
export function decisionV1Page(device: Device, fields: FormFields, loginName: string): string {
  return page(
    title,
    `<p>${escapeHtml(loginName)}, you are about to ${grant(device)}</p>
${loginForm(
  deviceAllowedV1Path,
  { ...fields },
  `<div class="actions"><button type="submit" class="main">Allow</button>
<button type="submit" class="plain" formaction="${deviceDeniedV1Path}">Deny</button></div>`,
)}`,
  );
}

/** The last page of Login V1, on which Zitadel has no heading. */
export function approvedV1Page(message: string): string {
  return page('', `<section><h1>${title}</h1></section>\n<p>${message}</p>`);
}

/** The page at the path of Login V2 to allow or deny a device, without a sign-in. */
export function allowDevicePage(action: string, device: Device, people: SandboxUser[]): string {
  const options = people.map(
    ({ loginName, displayName }) =>
      `<option value="${escapeHtml(loginName)}">${escapeHtml(`${displayName} (${loginName})`)}</option>`,
  );
  return page(
    title,
    `<p>You are about to ${grant(device)}</p>
<form method="post" action="${action}">
<input type="hidden" name="user_code" value="${escapeHtml(device.userCode)}">
<label for="loginName">You are</label>
<select id="loginName" name="loginName">${options.join('')}</select>
<div class="actions"><button type="submit" class="main" name="action" value="allowed">Allow</button>
<button type="submit" class="plain" name="action" value="denied">Deny</button></div>
</form>`,
  );
}

function grant({ clientId, scopes }: Device): string {
  return `grant device ${escapeHtml(clientId)} access to the following scopes: [${escapeHtml(scopes.join(' '))}].`;
}
