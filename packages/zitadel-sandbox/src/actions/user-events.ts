import type { Authorization, SandboxUser, UserState } from '../directory/users.js';
import { idFor } from '../storage/ids.js';
import type { NewEvent } from './events.js';

const words = { inactive: 'deactivated', locked: 'locked', removed: 'removed' } as const;

/** The events of a change of a user's state; `before` is the state until now. */
export function stateEvents(
  user: SandboxUser,
  before: UserState,
  state: UserState,
  userID: string | undefined,
): NewEvent[] {
  const word = state === 'active' ? (before === 'locked' ? 'unlocked' : 'reactivated') : words[state];
  const grants = state === 'removed' ? user.authorizations : [];
  return [
    userEvent(user, `user.${word}`, { userID }),
    ...grants.map((one) => grantEvent(user, one, 'user.grant.cascade.removed', { userID })),
  ];
}

type Rest = Pick<NewEvent, 'userID' | 'event_payload'>;

export function userEvent({ id, home }: SandboxUser, type: string, rest: Rest = {}): NewEvent {
  return { aggregateID: id, aggregateType: 'user', resourceOwner: home.id, event_type: type, ...rest };
}

/** An event of an authorization (Zitadel: "user grant"). */
export function grantEvent(
  user: SandboxUser,
  authorization: Authorization,
  type: string,
  rest: Rest = {},
): NewEvent {
  return {
    aggregateID: authorizationId(user, authorization),
    aggregateType: 'usergrant',
    resourceOwner: authorization.organization.id,
    event_type: type,
    ...rest,
  };
}

/** A user has one authorization in a project from an organization. */
export function authorizationId({ id }: SandboxUser, { organization, projectId }: Authorization): string {
  return idFor(`authorization ${id} ${projectId} ${organization.id}`);
}
