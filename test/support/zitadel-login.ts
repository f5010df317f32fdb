import type { BrowserContext, Page, Response } from 'playwright-core';
import { ManagementRefused, type ManagementClient } from 'zitadel-setup';
import { z } from 'zod';

/** Fields and buttons of Login V1 and Login V2. */
const LOGIN_NAME = 'input[name="loginName"]:not([type="hidden"]), [data-testid="username-text-input"]';
const PASSWORD = 'input[name="password"], [data-testid="password-text-input"]';
const SUBMIT = '#submit-button, [data-testid="submit-button"]';

/** The pages of Login V2 react to a button only once their scripts run. */
const ATTEMPT_MS = 3_000;
const ATTEMPTS = 8;

/** What answers for a login page that is not there: Zitadel, or a proxy before it. */
const NO_PAGE = [404, 502, 503, 504];

const sessionSchema = z.object({ sessionId: z.string(), sessionToken: z.string() });

interface Person {
  loginName: string;
  password: string;
}

/** Signs people in at a Zitadel: at its login pages, V1 or V2, or through its session API where it has no page. */
export class ZitadelLogin {
  /** the sessions of the session API, which a login UI would keep in a cookie */
  private readonly sessions = new WeakMap<BrowserContext, z.infer<typeof sessionSchema>>();

  constructor(private readonly client: ManagementClient) {}

  /**
   * Runs `start`, which leads the browser to Zitadel, and signs in there. Ends when the browser is back at `origin`. A person who is
   * signed in already comes back at once.
   *
   * @returns how: the name of the login UI, `session API` or `no login`
   */
  async signIn(page: Page, person: Person, origin: string, start: () => Promise<unknown>): Promise<string> {
    // a navigation to an address where nothing answers fails
    const [arrived] = await Promise.all([arrivalOf(page), start().catch(() => undefined)]);
    if (arrived.url.startsWith(`${origin}/`)) return 'no login';
    if (!arrived.hasPage) {
      await page.goto(await this.callbackFor(arrived.url, person, page.context()));
      await page.waitForURL((url) => url.origin === origin, { waitUntil: 'load' });
      return 'session API';
    }
    await signInAtPage(page, person, origin);
    return /\/ui\/v2\//.test(arrived.url) ? 'Login V2' : 'Login V1';
  }

  /** Does what a login UI does: makes a session, and answers the authorization request with it. */
  private async callbackFor(address: string, person: Person, context: BrowserContext): Promise<string> {
    const [, authRequestId] = /[?&](?:authRequest|requestId)=(?:oidc_)?(V2_\d+)/.exec(address) ?? [];
    if (authRequestId === undefined)
      throw new Error(`Zitadel shows no login page at ${address.split('?')[0]}`);
    const session = this.sessions.get(context) ?? (await this.createdSession(person));
    this.sessions.set(context, session);
    const message = { authRequestId, session };
    const schema = z.object({ callbackUrl: z.string() });
    try {
      return (await this.client.call('oidc.v2.OIDCService/CreateCallback', message, schema)).callbackUrl;
    } catch (error) {
      if (!(error instanceof ManagementRefused) || error.status !== 403) throw error;
      const sentence = 'This Zitadel has no login page, and the token may not sign people in without one';
      throw new Error(`${sentence}: give its user IAM_OWNER or IAM_LOGIN_CLIENT`, { cause: error });
    }
  }

  private createdSession({ loginName, password }: Person): Promise<z.infer<typeof sessionSchema>> {
    const message = { checks: { user: { loginName }, password: { password } } };
    return this.client.call('session.v2.SessionService/CreateSession', message, sessionSchema);
  }
}

/** Waits for the first page that is no redirect, or for an address where nothing answers. */
function arrivalOf(page: Page): Promise<{ url: string; hasPage: boolean }> {
  const isPage = (answer: Response) =>
    answer.request().isNavigationRequest() && (answer.status() < 300 || answer.status() >= 400);
  return Promise.race([
    page
      .waitForEvent('response', isPage)
      .then((answer) => ({ url: answer.url(), hasPage: !NO_PAGE.includes(answer.status()) })),
    page
      .waitForEvent('requestfailed', (request) => request.isNavigationRequest())
      .then(async (request) => {
        // Chromium then navigates to its own error page, which would interrupt the next navigation.
        await page.waitForURL('chrome-error://**', { waitUntil: 'commit' });
        return { url: request.url(), hasPage: false };
      }),
  ]);
}

async function signInAtPage(page: Page, person: Person, origin: string): Promise<void> {
  const isBack = () => page.url().startsWith(origin);
  await submit(page, LOGIN_NAME, person.loginName, () => page.locator(PASSWORD).first().isVisible());
  await submit(page, PASSWORD, person.password, async () => isBack() || (await skip(page).isVisible()));
  if (!isBack()) await skip(page).click();
  await page.waitForURL((url) => url.origin === origin, { waitUntil: 'load' });
}

/** Zitadel may offer a second factor after the password. */
const skip = (page: Page) => page.getByRole('button', { name: /^skip$/i }).first();

async function submit(page: Page, field: string, value: string, isDone: () => Promise<boolean>) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await page.locator(field).first().fill(value);
    await page.locator(SUBMIT).first().click();
    const end = performance.now() + ATTEMPT_MS;
    while (performance.now() < end) {
      if (await isDone().catch(() => false)) return;
      await page.waitForTimeout(50);
    }
  }
  throw new Error(
    `The login page did not accept the ${value === '' ? 'form' : 'input'}: ${page.url().split('?')[0]}`,
  );
}
