import { answerHtml } from '../http/answers.js';
import type { Endpoint } from '../instance/instance.js';
import { allowDevicePage, userCodePage } from './pages/device.page.js';
import { messagePage } from './pages/layout.js';
import { deviceV1Path } from './paths.js';

/**
 * The verification page of the device authorization grant, for both login UIs: user code, then account and decision.
 * As in Zitadel, "Deny" has no effect with Login V1.
 */
export const device: Endpoint = async ({ ctx, form, params }, instance) => {
  const isLoginV1 = ctx.path === deviceV1Path;
  const userCode = params['user_code'] ?? '';
  const request = instance.devices.findPending(userCode);
  const { people } = instance.directory;
  if (!request) {
    const error = userCode === '' ? undefined : 'Errors.DeviceAuth.NotFound';
    answerHtml(ctx, userCodePage(ctx.path, userCode, error));
    return;
  }
  const user = people.find(({ loginName, active }) => active && loginName === form['loginName']);
  if (form['action'] === 'denied') {
    if (!isLoginV1) request.state = 'denied';
    answerHtml(
      ctx,
      isLoginV1
        ? userCodePage(ctx.path, '', 'ID=AUTH-rKLWEH Message=context missing')
        : messagePage('Device Authorization', 'The device was denied. You may close this page.'),
    );
  } else if (form['action'] === 'allowed' && user) {
    request.state = { allowedIn: await instance.sessions.start(ctx, user, isLoginV1 ? 1 : 2) };
    answerHtml(
      ctx,
      messagePage('Device Authorization', 'Device authorization approved. You may now return to the device.'),
    );
  } else
    answerHtml(
      ctx,
      allowDevicePage(
        ctx.path,
        request,
        people.filter(({ active }) => active),
      ),
    );
};
