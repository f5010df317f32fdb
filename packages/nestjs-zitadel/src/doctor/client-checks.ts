import type { CheckedMetadata } from '../client/checked-metadata.js';
import type { ApiKey } from '../tokens/api-key.js';
import { mistakesIn } from '../setup/setup-problems.js';
import { mistakes, type CheckId, type MistakeCode } from '../setup/mistakes.js';
import { probeAuthorize, probeCode, probeEndSession, probeSetup } from '../setup/setup-probes.js';
import type { ResolvedZitadelOptions } from '../zitadel.options.js';
import { ok, reasonOf, unknown, wrong, type Ask, type Check } from './check.js';

/** What the web application is compared with: the key of the API and the project, where they are configured. */
export interface Known {
  key: ApiKey | undefined;
  projectId: string | undefined;
}

export const clientCheckIds = [
  'client-id',
  'redirect-uri',
  'code-grant',
  'refresh-grant',
  'client-authentication',
  'post-logout-uri',
  'login-ui',
  'login-origin',
] as const satisfies readonly CheckId[];

/** Sends the requests of a sign-in, a refresh and a sign-out (probes P2, P3, P4, P6 and P8). */
export async function examineClient(
  options: ResolvedZitadelOptions,
  metadata: CheckedMetadata,
  known: Known,
  ask: Ask,
): Promise<Check[]> {
  const { answers, location } = await probeSetup(options, metadata, ask);
  const codes = mistakesIn(answers);
  if (codes.includes('client_unknown')) {
    const others = clientCheckIds.filter((id) => id !== 'client-id');
    return [
      unknownClient(options.clientId, known),
      ...others.map((id) => unknown(id, 'not examined: first correct ZITADEL_CLIENT_ID')),
    ];
  }
  const found = new Map<CheckId, Check>();
  for (const code of codes) found.set(mistakes[code].check, await described(code, options, metadata, ask));
  if (options.clientSecret && !found.has('client-authentication')) {
    const answer = await probeCode(
      { ...options, clientSecret: 'an intentionally wrong secret' },
      metadata,
      ask,
    );
    if (!mistakesIn({ token: answer }).includes('client_secret_wrong'))
      found.set('client-authentication', wrong('client_secret_unused'));
  }
  for (const check of await loginChecks(location, options, ask)) found.set(check.id, check);
  return clientCheckIds.map((id) => found.get(id) ?? ok(id));
}

function unknownClient(clientId: string, { key, projectId }: Known): Check {
  if (clientId === key?.clientId) return wrong('client_is_api', { kind: 'client ID' });
  if (clientId === key?.appId) return wrong('client_is_api', { kind: 'application ID' });
  return wrong(clientId === projectId ? 'client_is_project' : 'client_unknown');
}

async function described(
  code: MistakeCode,
  options: ResolvedZitadelOptions,
  metadata: CheckedMetadata,
  ask: Ask,
): Promise<Check> {
  if (code === 'redirect_uri_unknown') {
    const isRegistered = async (redirectUri: string) =>
      mistakesIn({ authorize: await probeAuthorize({ ...options, redirectUri }, metadata, ask) }).length ===
      0;
    return nearMiss(options.redirectUri, ['redirect_uri_near', code], isRegistered);
  }
  if (code === 'post_logout_uri_unknown') {
    const isRegistered = async (postLogoutRedirectUri: string) =>
      mistakesIn({
        endSession: await probeEndSession({ ...options, postLogoutRedirectUri }, metadata, ask),
      }).length === 0;
    return nearMiss(options.postLogoutRedirectUri, ['post_logout_uri_near', code], isRegistered);
  }
  return wrong(code);
}

/** Asks for addresses that differ in one way, to find the one that is registered. */
async function nearMiss(
  uri: string,
  [near, unregistered]: readonly [MistakeCode, MistakeCode],
  isRegistered: (other: string) => Promise<boolean>,
): Promise<Check> {
  for (const [other, difference] of similar(uri))
    if (await isRegistered(other)) return wrong(near, { uri, other, difference });
  return wrong(unregistered, { uri });
}

/** Ports that programs in development usually have. */
const usualPorts = ['3000', '3001', '8080', '5000'];

/** Returns addresses that differ from `uri` in one way, and in which. */
function similar(uri: string): Map<string, string> {
  const changes: [string, (url: URL) => void][] = [
    ['the slash at the end', (url) => (url.pathname = slashChanged(url.pathname))],
    ['the scheme', (url) => (url.protocol = url.protocol === 'http:' ? 'https:' : 'http:')],
    ['the host', (url) => (url.hostname = otherHost(url.hostname))],
    ['upper and lower case of the path', (url) => (url.pathname = url.pathname.toLowerCase())],
    ['upper and lower case of the path', (url) => (url.pathname = capitalized(url.pathname))],
    ['the path', (url) => (url.pathname = otherCallback(url.pathname))],
    ['the query', (url) => (url.search = '')],
    ['the port', (url) => (url.port = '')],
    ...usualPorts.map((port): [string, (url: URL) => void] => ['the port', (url) => (url.port = port)]),
  ];
  const found = new Map<string, string>();
  for (const [difference, change] of changes) {
    const url = new URL(uri);
    change(url);
    if (url.href !== uri && !found.has(url.href)) found.set(url.href, difference);
  }
  return found;
}

const slashChanged = (path: string) => (path.endsWith('/') ? path.slice(0, -1) : `${path}/`);

const capitalized = (path: string) => path.replaceAll(/(?<=\/)[a-z]/g, (letter) => letter.toUpperCase());

const otherCallback = (path: string) =>
  path.endsWith('/callback') ? `${path}/zitadel` : path.replace(/\/callback\/zitadel$/, '/callback');

function otherHost(host: string): string {
  if (host === 'localhost') return '127.0.0.1';
  if (host === '127.0.0.1') return 'localhost';
  return host.startsWith('www.') ? host.slice(4) : `www.${host}`;
}

/** Requests the login page that Zitadel redirects to. */
async function loginChecks(
  location: string | undefined,
  { issuer, redirectUri }: ResolvedZitadelOptions,
  ask: Ask,
): Promise<Check[]> {
  const address = location && URL.canParse(location, issuer) ? new URL(location, issuer) : undefined;
  if (!address || address.href.startsWith(redirectUri)) {
    const cause = 'Zitadel did not redirect to its login page';
    return [unknown('login-ui', cause), unknown('login-origin', cause)];
  }
  const page = address.origin + address.pathname;
  const note = `the login page is at ${address.origin}. Only an identity provider behind it needs ZITADEL_LOGIN_ORIGINS`;
  const origin = ok('login-origin', address.origin === issuer ? null : note);
  try {
    const { status } = await ask(address);
    const isThere = status < 400;
    return [isThere ? ok('login-ui') : wrong('login_missing', { address: page, status }), origin];
  } catch (error) {
    return [wrong('login_unreachable', { address: page, detail: reasonOf(error) }), origin];
  }
}
