import { z } from 'zod';
import type { SandboxUser, UserSpec } from '../directory/users.js';
import type { Instance } from '../instance/instance.js';
import { newId } from '../storage/ids.js';
import { addClient } from '../storage/provider.js';
import { ManagementError } from './management.error.js';
import { listField, method, passes, text, textFilter, word, type Method } from './method.js';
import { exists } from './projects.js';

const human = 'invalid CreateUserRequest.Human: embedded message failed validation | caused by: ';
const minPasswordLength = 8;

const userId = (message: string) => z.object({ userId: text(`${message}Request.UserId`) });

const createRequest = z.object({
  organizationId: text('CreateUserRequest.OrganizationId'),
  userId: z.string().optional(),
  username: text('CreateUserRequest.Username'),
  human: z
    .object({
      profile: z.object(
        { givenName: z.string(), familyName: z.string(), displayName: z.string().optional() },
        `${human}invalid CreateUserRequest_Human.Profile: value is required`,
      ),
      email: z.object({
        email: z.string().regex(/@/, {
          message:
            `${human}invalid CreateUserRequest_Human.Email: embedded message failed validation | caused by: ` +
            "invalid SetHumanEmail.Email: value must be a valid email address | caused by: mail: missing '@' or angle-addr",
        }),
        isVerified: z.boolean().default(false),
      }),
      password: z.object({ password: z.string() }).optional(),
    })
    .optional(),
  machine: z
    .object({
      name: z.string(),
      accessTokenType: word(['ACCESS_TOKEN_TYPE_BEARER', 'ACCESS_TOKEN_TYPE_JWT']),
    })
    .optional(),
});

const textQuery = <Name extends string>(name: Name) =>
  z
    .object({ [name]: z.string(), method: textFilter } as Record<Name, z.ZodString> & {
      method: typeof textFilter;
    })
    .optional();

export const userService: Record<string, Method> = {
  CreateUser: method(createRequest, async (request, { instance, rights }) => {
    const { organizationId, username } = request;
    rights.require('user.write', { organizationId });
    const { directory, changes, store } = instance;
    const organization = directory.organizations.find(({ id }) => id === organizationId);
    if (!organization)
      throw new ManagementError('failed_precondition', 'Organisation not found', 'COMMAND-QXPGs');
    if (directory.byLoginName(username)) throw exists('User already exists');
    const user = directory.add({
      ...specFrom(request),
      loginName: username,
      id: request.userId ?? newId(),
      organization: organization.name,
    });
    user.isUninitialized = request.human !== undefined && request.human.password === undefined;
    await addClient(store, user.id);
    changes.created(user);
    return { id: user.id, creationDate: changes.dates(user).creationDate };
  }),

  GetUserByID: method(userId('GetUserByID'), (request, { instance, user: caller, rights }) => {
    const user = instance.directory.byId(request.userId);
    const seen = user && instance.changes.seen(user, () => userView(instance, user));
    const maySee = user?.id === caller.id || rights.may('user.read', homeOf(user));
    if (!user || !seen || !maySee) throw notFound('QUERY-Dfbg2');
    return { details: detailsOf(instance, user), user: seen };
  }),

  ListUsers: method(
    z.object({
      queries: z
        .array(
          z.object({
            userNameQuery: textQuery('userName'),
            loginNameQuery: textQuery('loginName'),
            emailQuery: textQuery('emailAddress'),
            organizationIdQuery: z.object({ organizationId: z.string() }).optional(),
            inUserIdsQuery: z.object({ userIds: z.array(z.string()) }).optional(),
            typeQuery: z.object({ type: word(['TYPE_HUMAN', 'TYPE_MACHINE']) }).optional(),
          }),
        )
        .default([]),
    }),
    ({ queries }, { instance, user: caller, rights }) => {
      const found = instance.directory.users
        .filter((one) => one.id === caller.id || rights.may('user.read', homeOf(one)))
        .filter((one) =>
          queries.every(
            ({ userNameQuery, loginNameQuery, emailQuery, ...query }) =>
              passes(one.loginName, userNameQuery?.userName ?? one.loginName, userNameQuery?.method) &&
              passes(one.loginName, loginNameQuery?.loginName ?? one.loginName, loginNameQuery?.method) &&
              (!emailQuery || passes(one.email ?? '', emailQuery.emailAddress, emailQuery.method)) &&
              one.home.id === (query.organizationIdQuery?.organizationId ?? one.home.id) &&
              (query.inUserIdsQuery?.userIds ?? [one.id]).includes(one.id) &&
              (query.typeQuery?.type ?? typeOf(one)) === typeOf(one),
          ),
        )
        .flatMap((one) => instance.changes.seen(one, () => userView(instance, one)) ?? []);
      const total = found.length === 0 ? {} : { totalResult: String(found.length) };
      return {
        details: { ...total, timestamp: instance.changes.dates(caller).changeDate },
        ...listField('result', found),
      };
    },
  ),

  DeactivateUser: setState('Deactivate', 'inactive', 'User already inactive', 'COMMAND-5gunjw0cd7'),
  ReactivateUser: setState('Reactivate', 'active', 'User is not inactive', 'COMMAND-s5qqcz97hf'),
  LockUser: setState('Lock', 'locked', 'User already locked', 'COMMAND-lgws8wtsqf'),
  UnlockUser: setState('Unlock', 'active', 'User is not locked', 'COMMAND-9spdmdqzyg'),

  DeleteUser: method(userId('DeleteUser'), (request, { instance, user: caller, rights }) => {
    const user = instance.directory.byId(request.userId);
    requireOver(user, caller, rights);
    if (!user) throw notFound('COMMAND-bd4ir1mblj');
    const details = commandDetails(instance, user);
    instance.setUserState(user, 'removed', caller.id);
    return { details };
  }),
};

function setState(
  verb: string,
  state: 'active' | 'inactive' | 'locked',
  sentence: string,
  id: string,
): Method {
  return method(userId(`${verb}User`), (request, { instance, user: caller, rights }) => {
    const user = instance.directory.byId(request.userId);
    requireOver(user, caller, rights);
    if (!user) throw notFound('COMMAND-3M9sd');
    if (user.state === state) throw new ManagementError('failed_precondition', sentence, id);
    const before = userView(instance, user);
    instance.setUserState(user, state, caller.id);
    instance.changes.changed(user, before);
    return { details: commandDetails(instance, user) };
  });
}

/** Users may change themselves. */
export function requireOver(
  user: SandboxUser | undefined,
  caller: SandboxUser,
  rights: { require: (permission: 'user.write', resource: { organizationId?: string }) => void },
): void {
  if (user?.id !== caller.id) rights.require('user.write', homeOf(user));
}

export function notFound(id: string): ManagementError {
  return new ManagementError('not_found', 'User could not be found', id);
}

function homeOf(user: SandboxUser | undefined): { organizationId?: string } {
  return user ? { organizationId: user.home.id } : {};
}

function typeOf({ kind }: SandboxUser): 'TYPE_HUMAN' | 'TYPE_MACHINE' {
  return kind === 'human' ? 'TYPE_HUMAN' : 'TYPE_MACHINE';
}

function specFrom({ human: person, machine }: z.infer<typeof createRequest>): Omit<UserSpec, 'loginName'> {
  if (!person) {
    const isJwt = machine?.accessTokenType === 'ACCESS_TOKEN_TYPE_JWT';
    return {
      kind: 'machine',
      displayName: machine?.name ?? '',
      accessTokenType: isJwt ? 'jwt' : 'opaque',
    };
  }
  const { profile, email, password } = person;
  if (password && password.password.length < minPasswordLength)
    throw new ManagementError('invalid_argument', 'Password is too short', 'COMMA-HuJf6');
  return {
    givenName: profile.givenName,
    familyName: profile.familyName,
    displayName: profile.displayName ?? `${profile.givenName} ${profile.familyName}`,
    email: email.email,
    emailVerified: email.isVerified,
    ...(password && { password: password.password }),
  };
}

function detailsOf(instance: Instance, user: SandboxUser) {
  return { ...commandDetails(instance, user), creationDate: instance.changes.dates(user).creationDate };
}

/** Commands leave out when the user was made. */
function commandDetails({ changes }: Instance, user: SandboxUser) {
  const { changeDate } = changes.dates(user);
  return { sequence: changes.sequence(user), changeDate, resourceOwner: user.home.id };
}

const states = {
  active: 'USER_STATE_ACTIVE',
  inactive: 'USER_STATE_INACTIVE',
  locked: 'USER_STATE_LOCKED',
  removed: 'USER_STATE_DELETED',
} as const;

function userView(instance: Instance, user: SandboxUser) {
  const { id, state, loginName } = user;
  return {
    userId: id,
    details: detailsOf(instance, user),
    state: states[state],
    username: loginName,
    loginNames: [loginName],
    preferredLoginName: loginName,
    ...(user.kind === 'human' ? { human: personView(instance, user) } : { machine: machineView(user) }),
  };
}

function machineView({ displayName, accessTokenType, clientSecret }: SandboxUser): object {
  return {
    name: displayName,
    ...(clientSecret !== undefined && { hasSecret: true }),
    ...(accessTokenType === 'jwt' && { accessTokenType: 'ACCESS_TOKEN_TYPE_JWT' }),
  };
}

function personView({ changes }: Instance, user: SandboxUser): object {
  const { givenName, familyName, nickname, displayName, locale, gender, email, emailVerified } = user;
  return {
    profile: {
      givenName,
      familyName,
      nickName: nickname ?? '',
      displayName,
      preferredLanguage: locale ?? 'und',
      gender: `GENDER_${(gender ?? 'unspecified').toUpperCase()}`,
    },
    email: { ...(email !== undefined && { email }), ...(emailVerified && { isVerified: true }) },
    phone: {},
    passwordChanged: changes.dates(user).creationDate,
  };
}
