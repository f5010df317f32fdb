import { startSandbox, type SandboxOptions } from '../../../src/index.js';
import { call, type HttpAnswer } from './http-call.js';
import { ManagementWorld, type Ids } from './management-world.js';
import { managementRecording, type Exchange, type RecordedRequest } from './recording.js';
import type { Played } from './sandboxes.js';

type Recorded = Exchange & { request: RecordedRequest; response: NonNullable<Exchange['response']> };

/** What the sandbox does not have: version 1, metadata, lists of credentials, own keys, keys of targets, features. */
const elsewhere =
  /^\/(management|auth)\/v1|^\/admin\/v1\/(policies|events)|^\/v2\/features|etadata|\/(keys|pats)\/search$|publickeys|^\/(oauth|oidc)\//;
/** Calls of targets by Zitadel, and of a target that was made outside the recording. */
const notCalled = /^\/(all|resp|preuserinfo|preaccesstoken)$|targets\/300000000000000253$/;
const id = /^\d{18}$/;

/** Plays the recorded calls of the management API against empty sandboxes, in their order. */
export async function playManagement(): Promise<Played[]> {
  const exchanges = managementRecording().filter(isPlayable);
  const isDenied = ({ setup }: Recorded) => setup.startsWith('HTTPClient.DenyList as shipped');
  return [
    ...(await playAll(
      exchanges.filter((one) => !isDenied(one)),
      {},
    )),
    ...(await playAll(exchanges.filter(isDenied), { backChannelDenied: true })),
  ];
}

function isPlayable(exchange: Exchange): exchange is Recorded {
  const { request, response } = exchange;
  return (
    request !== null && response !== null && ![elsewhere, notCalled].some((paths) => paths.test(request.path))
  );
}

async function playAll(exchanges: Recorded[], options: SandboxOptions): Promise<Played[]> {
  const sandbox = await startSandbox({ ...options, empty: true });
  const ids: Ids = new Map();
  const played: Played[] = [];
  try {
    const world = new ManagementWorld(sandbox, ids);
    await world.make();
    for (const exchange of exchanges) {
      const sent = await send(exchange, sandbox.issuer, world, ids);
      const differences = [
        ...headDifferences(exchange.response, sent),
        ...bodyDifferences(exchange.response.body, sent, ids),
      ];
      played.push({ name: `${exchange.file}: ${exchange.name}`, differences });
    }
  } finally {
    await sandbox.close();
  }
  return played;
}

function send(exchange: Recorded, issuer: string, world: ManagementWorld, ids: Ids): Promise<HttpAnswer> {
  const { method, path, json, body } = exchange.request;
  // one file was recorded without the content type
  const headers: Record<string, string> = {
    ...(json && { 'content-type': 'application/json' }),
    ...exchange.request.headers,
  };
  if (headers['authorization']?.startsWith('Bearer'))
    headers['authorization'] = `Bearer ${tokenFor(exchange, world)}`;
  const sent = json ? live(JSON.stringify(json), ids) : body;
  const url = new URL(issuer + live(path, ids));
  return call({ method, url, headers, ...(sent !== undefined && { body: sent }) });
}

function tokenFor({ name, setup }: Recorded, world: ManagementWorld): string {
  if (/expired|garbage|removed/.test(setup) || /of scope|assertion itself/.test(name)) return 'garbage';
  const own = [...world.tokens].find(([words]) => words.test(setup));
  return own?.[1] ?? [...world.tokens.values()][0] ?? '';
}

function live(text: string, ids: Ids): string {
  return text.replaceAll(/\b\d{18}\b/g, (recorded) => ids.get(recorded) ?? recorded);
}

function headDifferences({ status, headers }: Recorded['response'], answer: HttpAnswer): string[] {
  const wanted = { status: String(status), ...headers };
  const given: Record<string, unknown> = { ...answer.headers, status: String(answer.status) };
  return Object.entries(wanted)
    .filter(([name, value]) => given[name] !== value)
    .map(([name, value]) => `${name}: recorded ${String(value)}, here ${String(given[name])}`);
}

function bodyDifferences(recorded: unknown, { body }: HttpAnswer, ids: Ids): string[] {
  if (typeof recorded === 'string') return recorded === body ? [] : [`body: here ${body}`];
  return differences(recorded, parsed(body), 'body', ids);
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

function differences(recorded: unknown, actual: unknown, at: string, ids: Ids): string[] {
  const both = [recorded, actual];
  if (both.every((one) => typeof one === 'object' && one !== null)) {
    const [wanted = {}, given = {}] = both as Record<string, unknown>[];
    const keys = new Set([...Object.keys(wanted), ...Object.keys(given)]);
    return [...keys].flatMap((key) => differences(wanted[key], given[key], `${at}.${key}`, ids));
  }
  const isSame =
    typeof recorded === 'string' && typeof actual === 'string'
      ? isSameText(recorded, actual, at, ids)
      : recorded === actual;
  return isSame ? [] : [`${at}: recorded ${JSON.stringify(recorded)}, here ${JSON.stringify(actual)}`];
}

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** The sequence of events and the domain of an organization are the server's own. */
const ownOfServer = /\.(sequence|primaryDomain)$/;

/** Ids are the same wherever they come again; times, secrets, tokens and keys have the same shape. */
function isSameText(recorded: string, actual: string, at: string, ids: Ids): boolean {
  if (ownOfServer.test(at)) return true;
  if (id.test(recorded) && id.test(actual)) {
    const known = ids.get(recorded) ?? actual;
    ids.set(recorded, known);
    return known === actual;
  }
  if (recorded === '<time>' || time.test(recorded)) return time.test(actual);
  if (/\.(clientSecret|signingKey)$/.test(at)) return actual.length === recorded.length;
  if (/\.key(Details|Content)$/.test(at)) return fieldsOf(recorded) === fieldsOf(actual);
  if (at.endsWith('.token')) return actual.split('.').length === recorded.split('.').length;
  return live(recorded, ids) === actual;
}

function fieldsOf(base64: string): string {
  return Object.keys(JSON.parse(Buffer.from(base64, 'base64').toString()) as object).join();
}
