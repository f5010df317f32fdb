import { answerHtml, redirect } from '../http/answers.js';
import type { Endpoint } from '../instance/instance.js';
import type { DeviceRequest } from '../sessions/device-requests.js';
import type { Session } from '../storage/provider.js';
import { deleteAuthRequest, saveAuthRequest } from './auth-request.js';
import { deviceApproved, deviceNotFound } from './device.endpoint.js';
import type { LoginContext } from './login-context.js';
import { form, hiddenFields, step } from './login-v1.steps.js';
import { approvedV1Page, decisionV1Page, userCodePage } from './pages/device.page.js';
import {
  deviceActionV1Path,
  deviceAllowedV1Path,
  deviceDeniedV1Path,
  deviceV1Path,
  loginV1Path,
} from './paths.js';

/** The device authorization grant at Login V1: user code, sign-in, decision. */
export const deviceV1Endpoints: Record<string, Endpoint> = {
  [deviceV1Path]: async ({ ctx, params }, instance) => {
    const { user_code: userCode = '', prompt } = params;
    const device = instance.devices.findPending(userCode);
    if (!device) {
      const error = userCode === '' ? prompt : deviceNotFound;
      answerHtml(ctx, userCodePage(ctx.path, userCode, error));
      return;
    }
    const { clientId, scopes } = device;
    const id = await saveAuthRequest(instance, {
      ...{ clientId, scopes, userCode, loginVersion: 1, prompts: [] },
      ...{ redirectUri: '', responseType: '', responseMode: 'query' },
      browserId: instance.sessions.ensureBrowserId(ctx),
    });
    redirect(ctx, `${loginV1Path}?authRequestID=${id}`);
  },

  [deviceActionV1Path]: step(async (login) => {
    const signedIn = await signedInFor(login);
    if (!signedIn) return;
    const user = login.instance.directory.byId(signedIn.session.accountId);
    answerHtml(login.call.ctx, decisionV1Page(signedIn.device, hiddenFields(login), user?.loginName ?? ''));
  }),

  [deviceAllowedV1Path]: form(async (login) => {
    const signedIn = await signedInFor(login);
    if (!signedIn) return;
    signedIn.device.state = { allowedIn: signedIn.session };
    await deleteAuthRequest(login.instance, login.id);
    answerHtml(login.call.ctx, approvedV1Page(deviceApproved));
  }),

  // Zitadel fails here, and the request of the device stays as it was
  [deviceDeniedV1Path]: form((login) => startAgain(login, 'ID=AUTH-rKLWEH Message=context missing')),
};

/** The device and the session of this browser that answers it; without them, the page for the user code is next. */
async function signedInFor(
  login: LoginContext,
): Promise<{ device: DeviceRequest; session: Session } | undefined> {
  const { call, instance, request } = login;
  const session = (await instance.sessions.list(call.ctx, 1)).find(({ jti }) => jti === request.sid);
  const device = instance.devices.findPending(request.userCode);
  if (session && device) return { device, session };
  startAgain(login, device ? 'authentication not completed' : deviceNotFound);
  return undefined;
}

function startAgain({ call }: LoginContext, prompt: string): void {
  redirect(call.ctx, `${deviceV1Path}?${new URLSearchParams({ prompt }).toString()}`);
}
