import { nothing, projectRoles } from '../management/messages.js';
import { explainRefusal, hasCode } from '../management/rights.js';
import { projectIdOf, unchanged, type Outcome, type Step, type World } from './step.js';

const SERVICE = 'project.v2.ProjectService';

/** The roles of the project. Other roles are left alone. */
export async function roleSteps(world: World): Promise<Step[]> {
  const { projectId, wanted } = world;
  const { keys, areHidden } =
    projectId === undefined ? { keys: [], areHidden: false } : await existing(world, projectId);
  return wanted.roles.map((role) => {
    const what = `role ${role}`;
    if (keys.includes(role)) return unchanged(what);
    const details = areHidden ? ['unless it is there: this token may not see roles'] : [];
    return { what, outcome: 'created', details, apply: () => add(world, role) };
  });
}

/** With PROJECT_OWNER alone Zitadel counts roles, and shows none. */
async function existing(
  { client }: World,
  projectId: string,
): Promise<{ keys: string[]; areHidden: boolean }> {
  const message = { projectId, pagination: { limit: 1000 } };
  const { pagination, projectRoles: found } = await client.call(
    `${SERVICE}/ListProjectRoles`,
    message,
    projectRoles,
  );
  return { keys: found.map(({ key }) => key), areHidden: pagination.totalResult > found.length };
}

async function add(world: World, role: string): Promise<Outcome> {
  const message = { projectId: projectIdOf(world), roleKey: role, displayName: role };
  try {
    await world.client.call(`${SERVICE}/AddProjectRole`, message, nothing);
    return 'created';
  } catch (error) {
    return hasCode(error, 'already_exists') ? 'unchanged' : explainRefusal(error, 'change this project');
  }
}
