import { defaultUsers, Directory, projectOwner, type UserSpec } from '../directory/users.js';
import type { SandboxOptions } from './sandbox.options.js';

/** The service user with the role IAM_OWNER, whose personal access token `npm run setup` takes. */
export const administratorLoginName = 'iam-owner@acme.example';

const administrator: UserSpec = {
  loginName: administratorLoginName,
  id: '320000000000000010',
  kind: 'machine',
  displayName: 'IAM owner',
  goodFor: 'the service user of npm run setup: role IAM_OWNER',
};

/** The users of a sandbox; an empty one has people without roles, and the service user with IAM_OWNER. */
export function directoryFrom({
  users,
  organizations,
  projectGrants,
  empty,
  patFile,
}: SandboxOptions): Directory {
  const given = users ?? (empty ? defaultUsers.filter(({ kind }) => kind !== 'machine') : defaultUsers);
  const all = empty || patFile !== undefined ? [...given, administrator] : given;
  const directory = new Directory(empty ? all.map(withoutRoles) : all, organizations, projectGrants);
  if (empty) for (const user of directory.users) user.authorizations = [];
  return directory;
}

function withoutRoles({ roles: _roles, grants: _grants, ...user }: UserSpec): UserSpec {
  if (user.kind === 'machine') return user;
  return { ...user, goodFor: `a user of ${user.organization ?? projectOwner}, without a role` };
}
