/** Keys of `SharedState` for what events have caused. They are of the whole Zitadel instance, so they have a limit of their own. */
export const EVENT_PREFIX = 'event:';

/** What an event changes for the sessions of this application. */
export type EventEffect =
  | { kind: 'user_ended'; sub: string }
  | { kind: 'session_ended'; sid: string }
  /** in one project, where the event names one */
  | { kind: 'claims_changed'; sub: string; projectId: string | undefined }
  /** somebody's claims have changed, and the event does not say whose */
  | { kind: 'claims_of_somebody_changed'; sub?: undefined; projectId: string | undefined };

/** An event of Zitadel: type, id, and what this application reads of it. */
export interface ZitadelEvent {
  type: string;
  /** the same in a repetition of the event */
  id: string;
  /** seconds since 1970 */
  createdAt: number;
  /** `undefined` for an event that has no effect here */
  effect: EventEffect | undefined;
}

interface Fields {
  aggregateID: string;
  payload: Record<string, unknown>;
}

const userEnded = ({ aggregateID: sub }: Fields): EventEffect => ({ kind: 'user_ended', sub });

function claimsChanged({ payload: { userId, projectId: given } }: Fields): EventEffect {
  const projectId = isText(given) ? given : undefined;
  return isText(userId)
    ? { kind: 'claims_changed', sub: userId, projectId }
    : { kind: 'claims_of_somebody_changed', projectId };
}

const roleRemoved = ({ aggregateID: projectId }: Fields): EventEffect => ({
  kind: 'claims_of_somebody_changed',
  projectId,
});

const signedOut = ({ payload: { sessionID } }: Fields): EventEffect | undefined =>
  isText(sessionID) ? { kind: 'session_ended', sid: sessionID } : undefined;

const effects = new Map<string, (fields: Fields) => EventEffect | undefined>([
  ['user.deactivated', userEnded],
  ['user.locked', userEnded],
  ['user.removed', userEnded],
  ['user.human.password.changed', userEnded],
  ['user.human.signed.out', signedOut],
  ['session.terminated', ({ aggregateID: sid }) => ({ kind: 'session_ended', sid })],
  ['user.grant.added', claimsChanged],
  ['user.grant.changed', claimsChanged],
  ['user.grant.removed', claimsChanged],
  ['user.grant.deactivated', claimsChanged],
  ['user.grant.reactivated', claimsChanged],
  ['user.grant.cascade.changed', claimsChanged],
  ['user.grant.cascade.removed', claimsChanged],
  ['project.role.removed', roleRemoved],
]);

/** The types of the events that have an effect: conditions of executions in Zitadel. */
export const EVENT_TYPES: readonly string[] = [...effects.keys()];

/**
 * Reads the body of a webhook for events. Reads ids and times alone: some payloads have the hash of a password.
 *
 * @returns `undefined` for a body that is not an event in JSON
 */
export function eventFrom(body: Buffer): ZitadelEvent | undefined {
  const event = objectIn(body.toString('utf8'));
  const { event_type: type, aggregateID, sequence, created_at: createdAt, event_payload: payload } = event;
  const createdAtMs = isText(createdAt) ? Date.parse(createdAt) : NaN;
  const isNumbered = isText(sequence) || typeof sequence === 'number';
  if (!isText(type) || !isText(aggregateID) || !isNumbered || Number.isNaN(createdAtMs)) return undefined;
  return {
    type,
    id: `${type} ${aggregateID} ${String(sequence)}`,
    createdAt: createdAtMs / 1000,
    effect: effects.get(type)?.({ aggregateID, payload: isObject(payload) ? payload : {} }),
  };
}

function objectIn(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
