import {
  applications,
  madeApplication,
  nothing,
  oneApplication,
  type ApplicationMessage,
} from '../management/messages.js';
import { explainRefusal, hasCode } from '../management/rights.js';
import { ManagementRefused } from '../management/management-client.js';
import { until } from '../management/until.js';
import { SetupError } from '../setup.error.js';
import { LISTS, type ApplicationSpec, type OidcSpec } from './application-specs.js';
import { projectIdOf, unchanged, type Outcome, type Step, type World } from './step.js';

const SERVICE = 'application.v2.ApplicationService';
const BACK_CHANNEL = 'backChannelLogoutUri';
const KEY_METHOD = 'API_AUTH_METHOD_TYPE_PRIVATE_KEY_JWT';

/** An application of the project, by its name. What else is registered there is left alone. */
export async function applicationStep(world: World, spec: ApplicationSpec): Promise<Step> {
  const what = `application ${spec.name}`;
  const found = world.projectId === undefined ? undefined : await find(world, spec.name);
  if (!found) return { what, outcome: 'created', details: [], apply: () => create(world, spec) };
  remember(world, spec, found);
  const details = differences(found, spec);
  if (details.length === 0) return unchanged(what);
  const isTry = details.length === 1 && details[0]?.startsWith(BACK_CHANNEL);
  const step = { what, outcome: 'changed', apply: () => mend(world, spec, found) } as const;
  return isTry ? { ...step, details: [`${details[0]}: Zitadel may refuse it`], isTry } : { ...step, details };
}

async function find(world: World, name: string): Promise<ApplicationMessage | undefined> {
  const projectId = projectIdOf(world);
  const filters = [
    { projectIdFilter: { projectId } },
    { nameFilter: { name, method: 'TEXT_FILTER_METHOD_EQUALS' } },
  ];
  const answer = await world.client.call(`${SERVICE}/ListApplications`, { filters }, applications);
  return answer.applications.find((one) => one.name === name && one.projectId === projectId);
}

/** @throws `SetupError` when the name is taken by an application of another kind */
function remember(world: World, { name, oidc }: ApplicationSpec, found: ApplicationMessage): void {
  const clientId = (oidc ? found.oidcConfiguration : found.apiConfiguration)?.clientId;
  if (clientId === undefined) {
    throw new SetupError(
      `The application ${name} of the project is of another kind than setup makes: rename it in the console, or choose another project with --project`,
    );
  }
  world.applications.set(name, { applicationId: found.applicationId, clientId });
}

/** What differs from how it should be, for people. */
function differences(
  { state, oidcConfiguration, apiConfiguration }: ApplicationMessage,
  spec: ApplicationSpec,
): string[] {
  const inactive = state === 'APPLICATION_STATE_INACTIVE' ? ['is activated'] : [];
  if (!spec.oidc) {
    return apiConfiguration?.authMethodType === KEY_METHOD
      ? inactive
      : [...inactive, 'authenticates with a key'];
  }
  const changed = Object.entries(changes(oidcConfiguration, spec.oidc));
  return [
    ...inactive,
    ...changed.map(([field, value]) => `${field}: ${[value].flat().map(String).join(', ')}`),
  ];
}

/** The fields of an update, with the values they should have: lists keep what they hold. */
function changes(
  found: ApplicationMessage['oidcConfiguration'],
  { backChannelLogoutUri, developmentMode, ...spec }: OidcSpec,
): Partial<OidcSpec> {
  const changed: Record<string, unknown> = {};
  for (const list of LISTS) {
    const added = spec[list].filter((one) => !found?.[list].includes(one));
    if (added.length > 0) changed[list] = [...(found?.[list] ?? []), ...added];
  }
  for (const field of ['applicationType', 'authMethodType'] as const)
    if (found?.[field] !== spec[field]) changed[field] = spec[field];
  if (developmentMode && !found?.developmentMode) changed['developmentMode'] = true;
  if (backChannelLogoutUri !== undefined && found?.backChannelLogoutUri !== backChannelLogoutUri)
    changed['backChannelLogoutUri'] = backChannelLogoutUri;
  return changed;
}

async function create(world: World, spec: ApplicationSpec): Promise<Outcome> {
  try {
    await withoutRefusedBackChannel(world, spec, (oidc) =>
      world.client.call(`${SERVICE}/CreateApplication`, creation(world, spec.name, oidc), madeApplication),
    );
  } catch (error) {
    if (!hasCode(error, 'already_exists')) return explainRefusal(error, 'change this project');
    return takeOver(world, spec);
  }
  await readBack(world, spec);
  return 'created';
}

function creation(world: World, name: string, oidc: OidcSpec | undefined): object {
  const kind = oidc
    ? { oidcConfiguration: { version: 'OIDC_VERSION_1_0', ...oidc } }
    : { apiConfiguration: { authMethodType: KEY_METHOD } };
  return { projectId: projectIdOf(world), name, ...kind };
}

/** Zitadel has an application of that name, which its searches did not show yet, or not to this token. */
async function takeOver(world: World, spec: ApplicationSpec): Promise<Outcome> {
  const found = await until(
    () => find(world, spec.name),
    () =>
      `There is an application ${spec.name} in the project that this token may not see: give the service user PROJECT_OWNER of the project`,
    world.pollPausesMs,
  );
  remember(world, spec, found);
  return differences(found, spec).length === 0 ? 'unchanged' : mend(world, spec, found);
}

async function mend(world: World, spec: ApplicationSpec, found: ApplicationMessage): Promise<Outcome> {
  const ids = { projectId: projectIdOf(world), applicationId: found.applicationId };
  const isInactive = found.state === 'APPLICATION_STATE_INACTIVE';
  let isChanged = isInactive;
  try {
    if (isInactive) await world.client.call(`${SERVICE}/ReactivateApplication`, ids, nothing);
    await withoutRefusedBackChannel(world, spec, async (oidc) => {
      const update = oidc ? oidcUpdate(found, oidc) : apiUpdate(found);
      if (!update) return;
      await world.client.call(`${SERVICE}/UpdateApplication`, { ...ids, ...update }, nothing);
      isChanged = true;
    });
  } catch (error) {
    // somebody else has just done the same
    if (!(error instanceof ManagementRefused && error.text.includes('COMMAND-1m88i')))
      explainRefusal(error, 'change this project');
  }
  await readBack(world, spec);
  return isChanged ? 'changed' : 'unchanged';
}

/** An update that leaves out grant types, response types or the login version resets them. */
function oidcUpdate({ oidcConfiguration: found }: ApplicationMessage, spec: OidcSpec): object | undefined {
  const changed = changes(found, spec);
  if (!found || Object.keys(changed).length === 0) return undefined;
  const { grantTypes, responseTypes, loginVersion } = found;
  const kept = { grantTypes, responseTypes, ...(loginVersion && { loginVersion }) };
  return { oidcConfiguration: { ...kept, ...changed } };
}

function apiUpdate({ apiConfiguration }: ApplicationMessage): object | undefined {
  if (apiConfiguration?.authMethodType === KEY_METHOD) return undefined;
  return { apiConfiguration: { authMethodType: KEY_METHOD } };
}

/** Goes on without back-channel logout where Zitadel refuses its address. */
async function withoutRefusedBackChannel(
  world: World,
  spec: ApplicationSpec,
  send: (oidc: OidcSpec | undefined) => Promise<unknown>,
): Promise<void> {
  try {
    await send(spec.oidc);
  } catch (error) {
    const isBlocked = error instanceof ManagementRefused && error.text.includes('BackchannelLogoutURL');
    if (!isBlocked || !spec.oidc) throw error;
    world.warnings.push(
      `Zitadel refuses the back-channel logout address ${spec.oidc.backChannelLogoutUri}, and the application goes without. Either its deny list has the address (ZITADEL_HTTPCLIENT_DENYLIST of Zitadel; as shipped it has localhost and private networks), or Zitadel cannot resolve the host name (DNS). Until then a sign-out elsewhere is noticed after SESSION_CLAIMS_MAX_AGE`,
    );
    delete spec.oidc.backChannelLogoutUri;
    await send(spec.oidc);
  }
}

/**
 * Waits until Zitadel shows the application as it should be.
 *
 * @throws `SetupError` with what differs
 */
async function readBack(world: World, spec: ApplicationSpec): Promise<void> {
  let left: string[] = ['is not shown'];
  const found = await until(
    async () => {
      const listed = await find(world, spec.name);
      if (!listed) return undefined;
      const message = { applicationId: listed.applicationId };
      const { application } = await world.client.call(`${SERVICE}/GetApplication`, message, oneApplication);
      left = differences(application, spec);
      return left.length === 0 ? application : undefined;
    },
    () => `Zitadel took the application ${spec.name} otherwise than it was sent: ${left.join('; ')}`,
    world.pollPausesMs,
  );
  remember(world, spec, found);
}
