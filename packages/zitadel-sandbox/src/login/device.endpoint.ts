import { answerHtml } from '../http/answers.js';
import type { Endpoint } from '../instance/instance.js';
import { allowDevicePage, userCodePage } from './pages/device.page.js';
import { messagePage } from './pages/layout.js';

export const deviceNotFound = 'Errors.DeviceAuth.NotFound';
export const deviceApproved = 'Device authorization approved. You may now return to the device.';

/** The verification page of the device authorization grant at the path of Login V2: user code, then account and decision. */
export const device: Endpoint = async ({ ctx, form, params }, instance) => {
  const userCode = params['user_code'] ?? '';
  const request = instance.devices.findPending(userCode);
  const { people } = instance.directory;
  if (!request) {
    answerHtml(ctx, userCodePage(ctx.path, userCode, userCode === '' ? undefined : deviceNotFound));
    return;
  }
  const user = people.find(({ loginName, active }) => active && loginName === form['loginName']);
  if (form['action'] === 'denied') {
    request.state = 'denied';
    answerHtml(ctx, messagePage('Device Authorization', 'The device was denied. You may close this page.'));
  } else if (form['action'] === 'allowed' && user) {
    request.state = { allowedIn: await instance.sessions.start(ctx, user, 2) };
    answerHtml(ctx, messagePage('Device Authorization', deviceApproved));
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
