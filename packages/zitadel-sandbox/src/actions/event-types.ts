/** Types of events that the sandbox takes as conditions; Zitadel has more. */
const types = [
  ...['user.deactivated', 'user.reactivated', 'user.locked', 'user.unlocked', 'user.removed'],
  ...['user.human.added', 'user.human.password.changed', 'user.human.signed.out'],
  ...['user.human.password.check.succeeded', 'user.human.password.check.failed'],
  ...['user.human.email.changed', 'user.human.email.verified', 'user.metadata.set'],
  ...['user.machine.added', 'user.machine.key.added', 'user.machine.secret.set', 'user.pat.added'],
  ...['user.grant.added', 'user.grant.changed', 'user.grant.removed', 'user.grant.deactivated'],
  ...['user.grant.reactivated', 'user.grant.cascade.changed', 'user.grant.cascade.removed'],
  ...[
    'project.added',
    'project.deactivated',
    'project.removed',
    'project.role.added',
    'project.role.removed',
  ],
  ...['project.application.added', 'project.application.deactivated', 'project.application.removed'],
  ...['project.application.reactivated', 'project.application.config.oidc.changed'],
  ...['org.added', 'org.deactivated', 'org.removed'],
  ...['session.added', 'session.terminated', 'session.user.checked', 'session.password.checked'],
  ...['oidc_session.added', 'oidc_session.access_token.added', 'oidc_session.access_token.revoked'],
  ...['oidc_session.refresh_token.added', 'oidc_session.refresh_token.renewed'],
  'oidc_session.refresh_token.revoked',
];

export function isEventType(type: string): boolean {
  return types.includes(type);
}

/** A group is the beginning of types up to a dot, such as `user.human`. */
export function isEventGroup(group: string): boolean {
  return types.some((type) => type.startsWith(`${group}.`));
}
