import { apiKeyStep } from './api-key.js';
import { applicationSpecs } from './application-specs.js';
import { applicationStep } from './applications.js';
import { eventSteps } from './events.js';
import { projectStep } from './project.js';
import { roleAssignmentSteps } from './role-assignments.js';
import { roleSteps } from './roles.js';
import type { Step, World } from './step.js';

/** Compares Zitadel with what is wanted, and changes nothing. The steps are to be applied in their order. */
export async function planSteps(world: World): Promise<Step[]> {
  const steps = [await projectStep(world), ...(await roleSteps(world))];
  for (const spec of applicationSpecs(world.wanted)) steps.push(await applicationStep(world, spec));
  steps.push(await apiKeyStep(world), ...(await roleAssignmentSteps(world)), ...(await eventSteps(world)));
  return steps;
}
