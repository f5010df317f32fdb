import { authorizations, nothing, users, type ManagementAuthorization } from '../management/messages.js';
import { explainRefusal, hasCode } from '../management/rights.js';
import { until } from '../management/until.js';
import { SetupError } from '../setup.error.js';
import { projectIdOf, unchanged, type Outcome, type Step, type World } from './step.js';

const SERVICE = 'authorization.v2.AuthorizationService';

/** Roles of people in the project. Roles that they have besides stay, and other people are left alone. */
export async function roleAssignmentSteps(world: World): Promise<Step[]> {
  const steps: Step[] = [];
  const { grants } = world.wanted;
  for (const loginName of new Set(grants.map((grant) => grant.loginName))) {
    const roles = grants.filter((grant) => grant.loginName === loginName).map(({ role }) => role);
    steps.push(await stepFor(world, loginName, roles));
  }
  return steps;
}

async function stepFor(world: World, loginName: string, roles: string[]): Promise<Step> {
  const what = `role assignment ${loginName}=${roles.join(',')}`;
  const userId = await userIdOf(world, loginName);
  const found = world.projectId === undefined ? undefined : await find(world, userId);
  if (!found) return { what, outcome: 'created', details: [], apply: () => create(world, userId, roles) };
  const missing = missingIn(found, roles);
  if (missing.length === 0) return unchanged(what);
  return { what, outcome: 'changed', details: missing, apply: () => extend(world, userId, found, roles) };
}

async function userIdOf({ client }: World, loginName: string): Promise<string> {
  const queries = [{ loginNameQuery: { loginName, method: 'TEXT_QUERY_METHOD_EQUALS_IGNORE_CASE' } }];
  const { result } = await client.call('user.v2.UserService/ListUsers', { queries }, users);
  // Zitadel ignores a filter that it does not know
  const user = result.find(({ loginNames }) =>
    loginNames.some((one) => one.toLowerCase() === loginName.toLowerCase()),
  );
  if (user) return user.userId;
  throw new SetupError(
    `--grant: there is nobody with the login name ${loginName} whom this token may see. Compare it with the console; to see people, the service user needs ORG_USER_MANAGER or ORG_OWNER`,
  );
}

async function find(world: World, userId: string): Promise<ManagementAuthorization | undefined> {
  const projectId = projectIdOf(world);
  const filters = [{ inUserIds: { ids: [userId] } }, { projectId: { id: projectId } }];
  const answer = await world.client.call(`${SERVICE}/ListAuthorizations`, { filters }, authorizations);
  return answer.authorizations.find(
    ({ user, project, organization }) =>
      user.id === userId && project.id === projectId && organization.id === world.organizationId,
  );
}

/** What the authorization lacks, for people. */
function missingIn({ state, roles }: ManagementAuthorization, wanted: string[]): string[] {
  const keys = roles.map(({ key }) => key);
  return [
    ...(state === 'STATE_INACTIVE' ? ['is activated'] : []),
    ...wanted.filter((role) => !keys.includes(role)).map((role) => `role ${role}`),
  ];
}

async function create(world: World, userId: string, roleKeys: string[]): Promise<Outcome> {
  const message = { userId, projectId: projectIdOf(world), organizationId: world.organizationId, roleKeys };
  try {
    await world.client.call(`${SERVICE}/CreateAuthorization`, message, nothing);
  } catch (error) {
    if (!hasCode(error, 'already_exists')) return explainRefusal(error, 'give roles to people');
    const found = await until(
      () => find(world, userId),
      () =>
        'There is a role assignment already that this token may not see: give the service user PROJECT_OWNER',
      world.pollPausesMs,
    );
    return missingIn(found, roleKeys).length === 0 ? 'unchanged' : extend(world, userId, found, roleKeys);
  }
  await readBack(world, userId, roleKeys);
  return 'created';
}

// an update replaces the roles
async function extend(
  world: World,
  userId: string,
  { id, state, roles }: ManagementAuthorization,
  wanted: string[],
): Promise<Outcome> {
  const roleKeys = [...new Set([...roles.map(({ key }) => key), ...wanted])];
  try {
    if (state === 'STATE_INACTIVE')
      await world.client.call(`${SERVICE}/ActivateAuthorization`, { id }, nothing);
    await world.client.call(`${SERVICE}/UpdateAuthorization`, { id, roleKeys }, nothing);
  } catch (error) {
    explainRefusal(error, 'give roles to people');
  }
  await readBack(world, userId, wanted);
  return 'changed';
}

async function readBack(world: World, userId: string, roles: string[]): Promise<void> {
  await until(
    async () => {
      const found = await find(world, userId);
      return found && missingIn(found, roles).length === 0 ? true : undefined;
    },
    () => 'Zitadel does not show the role assignment which it has just made: run setup again',
    world.pollPausesMs,
  );
}
