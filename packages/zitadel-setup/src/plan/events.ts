import { EVENT_TYPES } from '@mridang/nestjs-zitadel';
import { ManagementRefused } from '../management/management-client.js';
import {
  executions,
  madeTarget,
  nothing,
  targets,
  type ExecutionMessage,
  type TargetMessage,
} from '../management/messages.js';
import { explainRefusal, hasCode } from '../management/rights.js';
import { until } from '../management/until.js';
import { SetupError } from '../setup.error.js';
import { unchanged, type Outcome, type Step, type World } from './step.js';

const SERVICE = 'action.v2.ActionService';
const PAGE = 1000;
const RIGHT = 'send events of Zitadel to a webhook';

/** What a webhook for events needs: a target, and an execution for each single event. None of them without an address. */
export async function eventSteps(world: World): Promise<Step[]> {
  const { eventsUri } = world.wanted;
  if (eventsUri === undefined) return [];
  const target = await findTarget(world, eventsUri);
  if (target) remember(world, target);
  const what = `target for events at ${eventsUri}`;
  const targetStep: Step = target
    ? unchanged(what)
    : { what, outcome: 'created', details: [], apply: () => create(world, eventsUri) };
  return [targetStep, ...(await executionSteps(world))];
}

async function findTarget(world: World, endpoint: string): Promise<TargetMessage | undefined> {
  const all = await pages(async (pagination) => {
    const answer = await world.client.call(`${SERVICE}/ListTargets`, { pagination }, targets);
    return { total: answer.pagination.totalResult, found: answer.targets };
  });
  // Zitadel delivers no events to targets with other payload types
  return all.find(
    (one) => one.endpoint === endpoint && /^(PAYLOAD_TYPE_(JSON|UNSPECIFIED))?$/.test(one.payloadType),
  );
}

async function executionSteps(world: World): Promise<Step[]> {
  const known = await findExecutions(world);
  return EVENT_TYPES.map((type) => {
    const what = `execution on event ${type}`;
    const before = targetsOf(known, type);
    const { eventTargetId: id } = world;
    if (id !== undefined && before.own.includes(id)) return unchanged(what);
    const kept = before.own.length > 0 ? before.own : before.inherited;
    const details = kept.length > 0 ? [`beside the targets ${kept.join(', ')}`] : [];
    const outcome = before.own.length > 0 ? 'changed' : 'created';
    return { what, outcome, details, apply: () => set(world, type, kept, outcome) };
  });
}

function findExecutions({ client }: World): Promise<ExecutionMessage[]> {
  return pages(async (pagination) => {
    const answer = await client.call(`${SERVICE}/ListExecutions`, { pagination }, executions);
    return { total: answer.pagination.totalResult, found: answer.executions };
  });
}

/**
 * The targets of the condition itself, and those that get the event now because of its group or of all events: Zitadel calls the targets of
 * the best match alone, so that a condition for the single event would take it away from them.
 */
function targetsOf(known: readonly ExecutionMessage[], type: string): { own: string[]; inherited: string[] } {
  const matching = (isMatch: (event: ExecutionMessage['condition']['event']) => boolean | undefined) =>
    known.filter(({ condition }) => isMatch(condition.event));
  const [own] = matching((event) => event?.event === type);
  const groups = matching((event) => event?.group !== undefined && type.startsWith(`${event.group}.`));
  const lengthOf = ({ condition }: ExecutionMessage) => condition.event?.group?.length ?? 0;
  const [group] = groups.sort((one, other) => lengthOf(other) - lengthOf(one));
  const [all] = matching((event) => event?.all);
  return { own: own?.targets ?? [], inherited: (group ?? all)?.targets ?? [] };
}

async function create(world: World, endpoint: string): Promise<Outcome> {
  const message = { name: `Events to ${endpoint}`.slice(0, 200), restWebhook: {}, timeout: '10s', endpoint };
  try {
    const made = await world.client.call(`${SERVICE}/CreateTarget`, message, madeTarget);
    remember(world, made);
    return 'created';
  } catch (error) {
    if (hasCode(error, 'already_exists')) {
      throw new SetupError(
        `There is a target "${message.name}" with another address or payload type: rename or delete it in the console (Actions V2), and run setup again`,
      );
    }
    if (!(error instanceof ManagementRefused && error.text.includes('Target.DeniedURL')))
      return explainRefusal(error, RIGHT);
    world.warnings.push(
      `Zitadel refuses the address for events ${endpoint}, and sends none: its deny list has the address (ZITADEL_HTTPCLIENT_DENYLIST of Zitadel; as shipped it has localhost and private networks), or it cannot resolve the host name (DNS). Until then changes count after SESSION_CLAIMS_MAX_AGE`,
    );
    return 'unchanged';
  }
}

function remember(world: World, { id, signingKey }: Pick<TargetMessage, 'id' | 'signingKey'>): void {
  world.eventTargetId = id;
  world.eventsKey = signingKey;
}

/** Setting an execution replaces its targets. */
async function set(world: World, type: string, kept: string[], outcome: Outcome): Promise<Outcome> {
  const { client, eventTargetId: id, pollPausesMs } = world;
  if (id === undefined) return 'unchanged';
  const wanted = [...kept, id];
  const message = { condition: { event: { event: type } }, targets: wanted };
  try {
    await client.call(`${SERVICE}/SetExecution`, message, nothing);
  } catch (error) {
    if (!hasCode(error, 'not_found')) return explainRefusal(error, RIGHT);
    world.warnings.push(`This Zitadel does not know the event ${type}, and sends none of it`);
    return 'unchanged';
  }
  await until(
    async () => (targetsOf(await findExecutions(world), type).own.includes(id) ? true : undefined),
    () => `Zitadel does not show the execution on event ${type} which it has just made: run setup again`,
    pollPausesMs,
  );
  return outcome;
}

interface Page<Found> {
  total: number;
  found: Found[];
}

/** Reads all pages of a list that the role IAM_OWNER alone may see. */
async function pages<Found>(read: (pagination: object) => Promise<Page<Found>>): Promise<Found[]> {
  const all: Found[] = [];
  for (;;) {
    const { total, found } = await read({ limit: PAGE, offset: all.length }).catch((error: unknown) =>
      explainRefusal(error, RIGHT),
    );
    all.push(...found);
    if (found.length === 0 || all.length >= total) return all;
  }
}
