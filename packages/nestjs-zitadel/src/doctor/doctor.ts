import { resolveOptions, type ZitadelOptions } from '../zitadel.options.js';
import { checkIds, checkOfSetting, type CheckId } from '../setup/mistakes.js';
import { examineApi, type ApiSettings, type ServiceKey } from './api-checks.js';
import { askUntil, attempt, unknown, wrong, type Ask, type Check } from './check.js';
import { clientCheckIds, examineClient } from './client-checks.js';
import { examineIssuer } from './issuer-checks.js';
import { examineNode, examinePorts, examineRedis, type Port } from './machine-checks.js';

/** A variable that the program refuses. */
export interface SettingProblem {
  variable: string;
  /** the end of the sentence "expected …" */
  expected: string;
}

/** What the doctor examines. */
export interface Patient {
  /** What the reader of the environment refused. */
  problems: readonly SettingProblem[];
  /** Options of `ZitadelModule`; `undefined` where the environment does not hold them. */
  web?: ZitadelOptions | undefined;
  /** Settings of the API; `undefined` without a key. */
  api?: ApiSettings | undefined;
  redisUrl?: string | undefined;
  ports: readonly Port[];
  /** Node.js: the version that runs, and the range that is supported. */
  node: { version: string; wanted: string };
  /** Key of a service user, which shows whether the API application is in the project. */
  serviceKey?: ServiceKey | undefined;
}

/** All requests together take less than this. */
const LIMIT_MS = 12_000;

const issuerCheckIds = ['issuer', 'metadata', 'keys', 'clock'] as const satisfies readonly CheckId[];
const apiCheckIds = ['api-key', 'api-project'] as const satisfies readonly CheckId[];

/** Examines the configuration with requests that need no user. Takes at most 20 seconds. Never throws; a check that failed is `unknown`. */
export async function examine(patient: Patient): Promise<Check[]> {
  const ask = askUntil(AbortSignal.timeout(LIMIT_MS));
  const groups = await Promise.all([
    attempt(issuerCheckIds, () => examineZitadel(patient, ask)),
    attempt(['redis'], async () => [await examineRedis(patient.redisUrl)]),
    attempt(['ports'], async () => [await examinePorts(patient.ports, ask)]),
  ]);
  const checks = [
    ...problemChecks(patient.problems),
    ...groups.flat(),
    examineNode(patient.node.version, patient.node.wanted),
  ];
  return checkIds.flatMap((id) => {
    const made = checks.filter((check) => check.id === id);
    const wrong = made.filter(({ status }) => status === 'wrong');
    if (wrong.length > 0) return wrong;
    return made.length > 0 ? made.slice(0, 1) : missing(id, checks);
  });
}

async function examineZitadel({ problems, web, api, serviceKey }: Patient, ask: Ask): Promise<Check[]> {
  const isMissing = (name: string) => problems.some(({ variable }) => variable === name);
  const options = web && resolveOptions(web);
  const connection = options ?? (api && { issuer: api.issuer, allowInsecureHttp: true });
  if (!connection) return [];
  const { checks, metadata } = await examineIssuer(connection, ask);
  if (!metadata) return checks;
  const projectId = api?.projectId ?? options?.apiProjectId;
  const isOtherIssuer = options && api && api.issuer !== options.issuer;
  const [client, bearer] = await Promise.all([
    options && !isMissing('ZITADEL_CLIENT_ID')
      ? attempt(clientCheckIds, () => examineClient(options, metadata, { key: api?.key, projectId }, ask))
      : [],
    api && !isOtherIssuer ? attempt(apiCheckIds, () => examineApi(api, metadata, serviceKey, ask)) : [],
  ]);
  if (!isOtherIssuer) return [...checks, ...client, ...bearer];
  const differ = wrong('issuers_differ', { issuer: options.issuer, other: api.issuer });
  return [differ, ...checks.filter(({ id }) => id !== 'issuer'), ...client];
}

/** What a check that was not made depends on. */
function missing(id: CheckId, checks: readonly Check[]): Check | [] {
  if (id === 'configuration') return [];
  const isIssuerGood = checks.some((check) => check.id === 'issuer' && check.status === 'ok');
  const isOfApi = (apiCheckIds as readonly CheckId[]).includes(id);
  const wrong = checks.find((check) => check.status === 'wrong' && ['issuer', 'api-key'].includes(check.id));
  if (isOfApi && wrong) return unknown(id, `not examined: first correct ${wrong.setting}`);
  if (isIssuerGood && isOfApi)
    return unknown(
      id,
      'no key of an API application is configured',
      'set ZITADEL_API_KEY_FILE, where there is an API',
    );
  return unknown(id, `not examined: first correct ${isIssuerGood ? 'ZITADEL_CLIENT_ID' : 'ZITADEL_DOMAIN'}`);
}

const problemChecks = (problems: readonly SettingProblem[]): Check[] =>
  problems.map(({ variable, expected }) => ({
    id: checkOfSetting(variable),
    status: 'wrong',
    cause: `${variable} is missing, or has a value that the program refuses`,
    cure: `expected ${expected}`,
    setting: variable,
  }));
