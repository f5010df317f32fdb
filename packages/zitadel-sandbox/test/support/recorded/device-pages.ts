import type { Sandbox } from '../../../src/index.js';
import type { Answer } from '../browser.js';
import { RelyingParty } from '../relying-party.js';
import type { LiveClient, LiveValues } from './live-values.js';

const decisionPath = '/ui/login/device/allowed';

/** Alice at the verification pages of Login V1, in one browser. */
export class DevicePages {
  private readonly client: RelyingParty;

  constructor(sandbox: Sandbox) {
    this.client = new RelyingParty(sandbox);
  }

  /** Opens the address that the device shows, with the code or without it. */
  open(parameters: Record<string, string> = {}, path = '/device'): Promise<Answer> {
    return this.client.follow(this.client.url(path, parameters));
  }

  enterLoginName(page: Answer): Promise<Answer> {
    return this.client.submit(page, '/ui/login/loginname', { loginName: 'alice' });
  }

  enterPassword(page: Answer): Promise<Answer> {
    return this.client.submit(page, '/ui/login/password', { password: 'Password1!' });
  }

  decide(page: Answer, action: 'allowed' | 'denied'): Promise<Answer> {
    return this.client.submit(page, decisionPath, {}, `/ui/login/device/${action}`);
  }
}

/** The sign-in of Alice for a device at Login V1, and her decision if there is one. */
export const answerAtLoginV1 =
  (action?: 'allowed' | 'denied') =>
  async ({ sandbox }: LiveClient, { user_code: userCode = '' }: LiveValues): Promise<void> => {
    const pages = new DevicePages(sandbox);
    const name = await pages.open({ user_code: userCode });
    const decision = await pages.enterPassword(await pages.enterLoginName(name));
    if (action) await pages.decide(decision, action);
  };
