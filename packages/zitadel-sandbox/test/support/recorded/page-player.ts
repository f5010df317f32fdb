import type { Sandbox } from '../../../src/index.js';
import type { Answer } from '../browser.js';
import { managed } from '../management.js';
import { RelyingParty } from '../relying-party.js';
import { DevicePages } from './device-pages.js';
import { namesOf, type Names } from './names.js';
import { pageDifferences, type RecordedPage } from './pages.js';
import type { Exchange } from './recording.js';
import type { Played } from './sandboxes.js';

type Steps = Record<string, () => Promise<Answer>>;

const beta = 'urn:zitadel:iam:org:id:300000000010000102';
const password = 'Password1!';
const scope = 'openid profile email offline_access';

/** Plays the recorded pages in their order, and compares status, address and page. */
export async function playPages(exchanges: Exchange[], steps: Steps, names: Names): Promise<Played[]> {
  const played: Played[] = [];
  for (const exchange of exchanges) {
    const answer = await steps[exchange.name]?.();
    if (!answer) throw new Error(`There is no step for ${exchange.name}`);
    played.push({
      name: `${exchange.file}: ${exchange.name}`,
      differences: differences(exchange, answer, names),
    });
  }
  return played;
}

function differences({ request, response, setup }: Exchange, answer: Answer, names: Names): string[] {
  const { page } = response?.body as { page?: RecordedPage };
  const isAtApplication = request?.path === '/auth/callback';
  const location = response?.headers['location'];
  const there = isAtApplication ? answer.location : answer.url;
  const isSeen = /seen/.test(setup);
  return [
    ...(isSeen || response?.status === answer.status ? [] : [`status: here ${answer.status}`]),
    ...(!isSeen || new URL(there).pathname === request?.path ? [] : [`address: here ${there}`]),
    ...(location === undefined || addressOf(String(location)) === addressOf(answer.location)
      ? []
      : [`location: recorded ${String(location)}, here ${answer.location}`]),
    ...(!page || isAtApplication || request?.path === '/ui/console/'
      ? []
      : pageDifferences(page, answer, names)),
  ];
}

/** An address without origin and id. */
function addressOf(location: string): string {
  const { pathname, search } = new URL(location.replace('http://localhost:8083', ''), 'http://localhost');
  return pathname + search.replace(/\d{18}/, '<id>');
}

/** The names of the recorded device and its roles, in place of those of the sandbox. */
export function deviceNames(sandbox: Sandbox): Names {
  const roles = (...keys: string[]) => keys.map((key) => `urn:zitadel:iam:org:project:role:${key}`).join(' ');
  return new Map([
    ['300000000010000111', sandbox.clients.device?.clientId ?? ''],
    [roles('admin', 'editor', 'reader'), namesOf(sandbox).get('<role scopes>') ?? ''],
  ]);
}

/** The steps at the verification pages of Login V1. */
export function deviceSteps(sandbox: Sandbox): Steps {
  const pages = new DevicePages(sandbox);
  let code = '';
  let page: Answer | undefined;
  const shown = (): Answer => page ?? missing();
  const next = async (answer: Promise<Answer>): Promise<Answer> => (page = await answer);
  const newCode = async (): Promise<string> => {
    const { json } = await new RelyingParty(sandbox).browser.post(
      `${sandbox.issuer}/oauth/v2/device_authorization`,
      { client_id: sandbox.clients.device?.clientId ?? '', scope },
    );
    return (code = String(json['user_code']));
  };
  const typed = (user_code: string): Promise<Answer> => pages.open({ user_code }, '/ui/login/device');
  return {
    'verification_uri_complete, not signed in': async () => next(pages.open({ user_code: await newCode() })),
    'login name': () => next(pages.enterLoginName(shown())),
    'after the password': () => next(pages.enterPassword(shown())),
    allowed: () => pages.decide(shown(), 'allowed'),
    'verification_uri, signed in': () => pages.open(),
    'wrong user code': () => typed('BBBB-BBBB'),
    'user code typed small, without the dash': async () =>
      typed((await newCode()).toLowerCase().replace('-', '')),
    'user code typed': () => next(typed(code)),
    'Deny pressed on the Login V1 page (fails)': () => pages.decide(shown(), 'denied'),
    'verification_uri_complete of a denied one': () => pages.open({ user_code: code }),
    '/device': () => pages.open(),
  };
}

/** The steps of registrations and invitations at Login V1. */
export function registrationSteps(sandbox: Sandbox): Steps {
  let client = new RelyingParty(sandbox);
  let page: Answer | undefined;
  let firstTab: Answer | undefined;
  const shown = (): Answer => page ?? missing();
  const next = async (answer: Promise<Answer>): Promise<Answer> => (page = await answer);
  const start = (organization?: string): Promise<Answer> => {
    client = new RelyingParty(sandbox);
    return next(client.login({ prompt: 'create', scope: organization ? `${scope} ${organization}` : scope }));
  };
  const register = (email: string): Promise<Answer> =>
    next(
      client.submit(shown(), '/ui/login/register', {
        ...{ firstname: 'Nora', lastname: 'New', email },
        ...{ 'register-password': password, 'register-password-confirmation': password },
      }),
    );
  const registered = async (email: string, organization?: string): Promise<Answer> => {
    await start(organization);
    return register(email);
  };
  const activate = (code?: string): Promise<Answer> =>
    next(client.submit(shown(), '/ui/login/user/init', { code: code ?? codeOn(shown()) }));
  const leave = (): Promise<Answer> => client.submit(shown(), '/ui/login/login', {});
  const openLink = (): Promise<Answer> => next(client.follow(linkOn(shown())));
  const accept = (loginName: string, code: string): Promise<Answer> =>
    next(
      client.submit(shown(), '/ui/login/user/invite', {
        ...{ loginName, code, password, passwordconfirm: password },
      }),
    );
  let invited = { id: '', code: '' };
  const openInvitation = async (loginname?: string): Promise<Answer> => {
    client = new RelyingParty(sandbox);
    const { id: userID, code } = invited;
    return next(client.follow(client.url('/ui/login/user/invite', { userID, code, loginname })));
  };
  return {
    'invited person starts at the app with login_hint: authorize': async () => {
      invited = await invitation(sandbox, 'ira-71451');
      client = new RelyingParty(sandbox);
      return next(client.authorize({ login_hint: 'ira-71451', scope }));
    },
    'invited person starts at the app with login_hint: authorize (redirect followed: /ui/login/login)': () =>
      next(client.follow(shown().location)),
    'invited person: code and password': () => accept('ira-71451', invited.code),
    'invitation link of the mail, policy with defaultRedirectUri': async () => {
      invited = await invitation(sandbox, 'ivo-78876');
      await openInvitation('ivo-78876');
      return client.send(shown(), '/ui/login/user/invite', {
        ...{ code: invited.code, password, passwordconfirm: password },
      });
    },
    'registration with an address somebody has': () => registered('alice@alpha.example'),
    'invited person: password once more': async () => {
      invited = await invitation(sandbox, 'ida-21319');
      client = new RelyingParty(sandbox);
      page = await client.login({ login_hint: 'ida-21319', scope });
      return client.send(await accept('ida-21319', invited.code), '/ui/login/password', { password });
    },

    'default organization: start': () => start(),
    'default organization: after the form': () => register('nora-62312@example.com'),
    'default organization: wrong code': () => activate('000000'),
    'default organization: right code typed': () => activate(),
    'default organization: next': leave,
    'organization scope of Beta: start': () => start(beta),
    'organization scope of Beta: after the form': () => register('nora-72996@example.com'),
    'registration in Beta, link of the mail': async () => {
      firstTab = await registered('nils-57883@example.com', beta);
      return openLink();
    },
    'registration in Beta, link of the mail: confirmed': () => activate(),
    'registration in Beta, link of the mail: next': leave,
    'registration in Beta, link of the mail: first tab afterwards': () =>
      Promise.resolve(firstTab ?? missing()),
    'link in another browser': async () => {
      await registered('nina-72169@example.com');
      client = new RelyingParty(sandbox);
      return openLink();
    },
    'link in another browser: confirmed': () => activate(),
    'link in another browser: next': leave,
    'registration with an address that exists': () => registered('nora-62312@example.com'),
    'back from the registration': () =>
      client.follow(
        client.url('/ui/login/loginname', {
          authRequestID: /name="authRequestID" value="(\d+)"/.exec(shown().text)?.[1],
        }),
      ),
    'invitation: link of the mail': async () => {
      invited = await invitation(sandbox, 'ian-89836');
      return openInvitation('ian-89836');
    },
    'invitation: V1 page': () => openInvitation(),
    'invitation: password set': () => accept('', invited.code),
    'invitation: next': () => Promise.resolve(shown()),
  };
}

/** Makes a user of Beta without a password, and an invitation. */
export async function invitation(sandbox: Sandbox, username: string): Promise<{ id: string; code: string }> {
  const made = await managed(sandbox, 'POST /v2/users/new', {
    ...{ organizationId: beta.slice(-18), username },
    human: {
      profile: { givenName: 'Ida', familyName: 'Tester' },
      email: { email: `${username}@example.com` },
    },
  });
  const id = String(made.body['id']);
  const { body } = await managed(sandbox, `POST /v2/users/${id}/invite_code`, { returnCode: {} });
  return { id, code: String(body['inviteCode']) };
}

function codeOn({ text }: Answer): string {
  return /the code is <code>(\w+)</.exec(text)?.[1] ?? '';
}

function linkOn({ url, text }: Answer): string {
  const href = /<a href="([^"]*)">this is the link</.exec(text)?.[1] ?? '';
  return new URL(href.replaceAll('&amp;', '&'), url).href;
}

function missing(): never {
  throw new Error('An earlier step is missing');
}
