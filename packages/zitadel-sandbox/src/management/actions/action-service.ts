import { z } from 'zod';
import {
  newSigningKey,
  type Condition,
  type Execution,
  type Target,
  type TargetType,
} from '../../actions/actions.js';
import { isEventGroup, isEventType } from '../../actions/event-types.js';
import { timestamp } from '../../directory/changes.js';
import { isLoopbackUri } from '../../http/uris.js';
import type { Instance } from '../../instance/instance.js';
import { ManagementError } from '../management.error.js';
import { listField, method, pageOf, pagination, text, texts, type Method } from '../method.js';
import type { Rights } from '../rights.js';

const functions = ['preuserinfo', 'preaccesstoken', 'presamlresponse'];
const maxTimeoutSeconds = 270;

const interrupting = z.object({ interruptOnError: z.boolean().optional() }).optional();
const targetFields = {
  restWebhook: interrupting,
  restCall: interrupting,
  restAsync: z.object({}).optional(),
  timeout: z
    .string()
    .optional()
    .refine((value) => value === undefined || Number.parseInt(value) <= maxTimeoutSeconds, {
      message: 'invalid CreateTargetRequest.Timeout: value must be inside range [0s, 4m30s]',
    }),
  endpoint: z.string().optional(),
};
const typeRequired = { message: 'invalid CreateTargetRequest.TargetType: value is required' };
const createRequest = z
  .object({
    name: text('CreateTargetRequest.Name'),
    ...targetFields,
    payloadType: z.string().optional(),
  })
  .refine((request) => typeOf(request) !== undefined, typeRequired);
const updateRequest = z.object({
  id: text('UpdateTargetRequest.Id'),
  name: z.string().optional(),
  ...targetFields,
  expirationSigningKey: z.string().optional(),
});
const executionRequest = z.object({
  condition: z.object({
    event: z
      .object({
        event: z.string().optional(),
        group: z.string().optional(),
        all: z.boolean().optional(),
      })
      .optional(),
    function: z.object({ name: z.string() }).optional(),
    request: z.looseObject({}).optional(),
    response: z.looseObject({}).optional(),
  }),
  targets: texts,
});

/** Targets and executions (Actions v2), which the role IAM_OWNER alone may see and change. */
export const actionService: Record<string, Method> = {
  CreateTarget: method(createRequest, (request, { instance, rights }) => {
    requireOwner(rights);
    const { name, timeout, endpoint = '', payloadType } = request;
    if (timeout === undefined) throw invalid('Target has no timeout', 'COMMAND-39f35d8uri');
    checkEndpoint(endpoint, instance);
    if (instance.actions.targets.some((one) => one.name === name)) throw nameTaken();
    const type = typeOf(request) ?? { restWebhook: {} };
    const target = instance.actions.add({ name, type, timeout, endpoint, payloadType });
    instance.changes.created(target);
    const { creationDate } = instance.changes.dates(target);
    return { id: target.id, creationDate, signingKey: target.signingKey };
  }),

  UpdateTarget: method(updateRequest, ({ id, ...request }, { instance, rights }) => {
    requireOwner(rights);
    const target = targetById(instance, id);
    const before = targetView(instance, target);
    if (request.endpoint !== undefined) checkEndpoint(request.endpoint, instance);
    const { name = target.name, timeout = target.timeout, endpoint = target.endpoint } = request;
    Object.assign(target, { name, timeout, endpoint, type: typeOf(request) ?? target.type });
    const isRenewed = request.expirationSigningKey !== undefined;
    if (isRenewed) target.signingKey = newSigningKey();
    instance.changes.changed(target, before);
    const { changeDate } = instance.changes.dates(target);
    return { changeDate, ...(isRenewed && { signingKey: target.signingKey }) };
  }),

  DeleteTarget: method(z.object({ id: text('DeleteTargetRequest.Id') }), ({ id }, { instance, rights }) => {
    requireOwner(rights);
    instance.actions.remove(id);
    return { deletionDate: timestamp() };
  }),

  ListTargets: method(z.object({ pagination }), ({ pagination: wanted }, { instance, rights }) => {
    requireOwner(rights);
    const { changes, actions } = instance;
    const found = actions.targets.flatMap((one) => changes.seen(one, () => targetView(instance, one)) ?? []);
    const { pagination: applied, page } = pageOf(found, wanted);
    return { pagination: applied, ...listField('targets', page) };
  }),

  SetExecution: method(executionRequest, ({ condition, targets = [] }, { instance, rights }) => {
    requireOwner(rights);
    checkCondition(condition as Condition);
    for (const id of targets) targetById(instance, id);
    const execution = instance.actions.set(condition as Condition, targets);
    instance.changes.created(execution);
    return { setDate: instance.changes.dates(execution).changeDate };
  }),

  ListExecutions: method(z.object({ pagination }), ({ pagination: wanted }, { instance, rights }) => {
    requireOwner(rights);
    const { changes, actions } = instance;
    const found = actions.executions.flatMap(
      (one) => changes.seen(one, () => executionView(instance, one)) ?? [],
    );
    const { pagination: applied, page } = pageOf(found, wanted);
    return { pagination: applied, ...listField('executions', page) };
  }),

  ListExecutionFunctions: method(z.object({}), () => ({ functions })),
};

function typeOf({ restWebhook, restCall, restAsync }: TypeFields): TargetType | undefined {
  if (restWebhook) return { restWebhook };
  if (restCall) return { restCall };
  return restAsync ? { restAsync } : undefined;
}

interface TypeFields {
  restWebhook?: object | undefined;
  restCall?: object | undefined;
  restAsync?: object | undefined;
}

function requireOwner(rights: Rights): void {
  rights.requireSome();
  if (!rights.may('instance.settings', {}))
    throw new ManagementError('permission_denied', 'No matching permissions found', 'AUTH-5mWD2');
}

/** Zitadel takes any scheme. Of its deny list the sandbox has link-local addresses, and those of this machine where it is denied them. */
function checkEndpoint(endpoint: string, { backChannel }: Instance): void {
  const host = URL.canParse(endpoint) ? new URL(endpoint).hostname : '';
  const isDenied = host.startsWith('169.254.') || (backChannel.isDenied && isLoopbackUri(endpoint));
  if (host === '' || isDenied) throw invalid('Errors.Target.DeniedURL', 'COMMAND-NcJUKo');
}

function checkCondition({ event, function: called }: Condition): void {
  if (event?.event !== undefined && !isEventType(event.event)) throw unknownCondition('COMMAND-74aaqj8fv9');
  if (event?.group !== undefined && !isEventGroup(event.group)) throw unknownCondition('COMMAND-er5oneb5lz');
  if (called && !functions.includes(called.name ?? '')) throw unknownCondition('COMMAND-cdy39t0ksr');
}

function unknownCondition(id: string): ManagementError {
  return new ManagementError('not_found', 'Execution condition is invalid', id);
}

function invalid(sentence: string, id: string): ManagementError {
  return new ManagementError('invalid_argument', sentence, id);
}

function nameTaken(): ManagementError {
  return new ManagementError('already_exists', 'Errors.Target.AlreadyExists', 'V3-DKcYh');
}

function targetById({ actions }: Instance, id: string): Target {
  const found = actions.targets.find((one) => one.id === id);
  if (!found) throw new ManagementError('not_found', 'Target not found', 'COMMAND-17e8fq1ggk');
  return found;
}

function targetView({ changes }: Instance, target: Target) {
  const { id, name, type, timeout, endpoint, payloadType, signingKey } = target;
  const shown = payloadType === undefined ? {} : { payloadType };
  const how = Object.fromEntries(
    Object.entries(type).map(([key, { interruptOnError }]: [string, { interruptOnError?: boolean }]) => [
      key,
      interruptOnError ? { interruptOnError } : {},
    ]),
  );
  return { id, ...changes.dates(target), name, ...how, timeout, endpoint, signingKey, ...shown };
}

function executionView({ changes }: Instance, execution: Execution) {
  const { condition, targetIds } = execution;
  return { condition, ...changes.dates(execution), targets: [...targetIds] };
}
