import { madeProject, nothing, projects } from '../management/messages.js';
import { explainRefusal, hasCode, isTooWeakForProjects, missingRight } from '../management/rights.js';
import { until } from '../management/until.js';
import { SetupError } from '../setup.error.js';
import { projectIdOf, unchanged, type Step, type World } from './step.js';

const SERVICE = 'project.v2.ProjectService';

/** The project, whose roles reach the applications without being asked for. */
export async function projectStep(world: World): Promise<Step> {
  const { wanted, administrators } = world;
  // who owns a project of another organization cannot see that organization
  const owned = administrators.find(({ project }) => project?.name === wanted.project)?.project;
  if (owned) world.organizationId = owned.organizationId;
  const what = `project ${wanted.project}`;
  const found = await find(world);
  if (!found) {
    if (isTooWeakForProjects(administrators)) throw missingRight('create projects');
    return { what, outcome: 'created', details: [], apply: () => create(world) };
  }
  world.projectId = found.projectId;
  if (found.state === 'PROJECT_STATE_INACTIVE') {
    throw new SetupError(
      `The project ${wanted.project} is deactivated, which setup does not change: reactivate it in the console, or choose another with --project`,
    );
  }
  if (found.projectRoleAssertion) return unchanged(what);
  const details = ['its roles are put into the tokens (Assert Roles on Authentication)'];
  return { what, outcome: 'changed', details, apply: () => assertRoles(world) };
}

async function find({ client, organizationId, wanted }: World) {
  const filters = [
    { projectNameFilter: { projectName: wanted.project, method: 'TEXT_FILTER_METHOD_EQUALS' } },
    { organizationIdFilter: { organizationId, type: 'OWNED' } },
  ];
  const answer = await client.call(`${SERVICE}/ListProjects`, { filters }, projects);
  return answer.projects.find((one) => one.name === wanted.project && one.organizationId === organizationId);
}

async function create(world: World): Promise<'created' | 'unchanged'> {
  const { client, organizationId, wanted } = world;
  const message = { organizationId, name: wanted.project, projectRoleAssertion: true };
  let isMade = true;
  try {
    await client.call(`${SERVICE}/CreateProject`, message, madeProject);
  } catch (error) {
    if (!hasCode(error, 'already_exists')) return explainRefusal(error, 'create projects');
    isMade = false;
  }
  const found = await until(
    () => find(world),
    () =>
      isMade
        ? `Zitadel does not show the project ${wanted.project} which it has just made: run setup again`
        : `There is a project ${wanted.project} that this token may not see: give the service user PROJECT_OWNER of it, or choose another with --project`,
    world.pollPausesMs,
  );
  world.projectId = found.projectId;
  if (!found.projectRoleAssertion) await assertRoles(world);
  return isMade ? 'created' : 'unchanged';
}

async function assertRoles(world: World): Promise<'changed'> {
  const message = { projectId: projectIdOf(world), projectRoleAssertion: true };
  await world.client
    .call(`${SERVICE}/UpdateProject`, message, nothing)
    .catch((error: unknown) => explainRefusal(error, 'change this project'));
  await until(
    async () => ((await find(world))?.projectRoleAssertion ? true : undefined),
    () => `Zitadel does not assert the roles of the project ${world.wanted.project}, although it was told to`,
    world.pollPausesMs,
  );
  return 'changed';
}
