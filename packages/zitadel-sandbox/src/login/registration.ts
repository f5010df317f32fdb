import { projectOwner, type SandboxUser } from '../directory/users.js';
import { newId } from '../storage/ids.js';
import { addClient } from '../storage/provider.js';
import { codeOf, type LoginContext } from './login-context.js';
import type { Registered } from './pages/registration.pages.js';

/** Zitadel's default policy, in its order. */
const passwordPolicy: [RegExp, string][] = [
  [/^.{8,}$/s, 'Password is too short'],
  [/^.{0,70}$/s, 'Password is too long'],
  [/[a-z]/, 'Password must contain lower letter'],
  [/[A-Z]/, 'Password must contain upper letter'],
  [/[0-9]/, 'Password must contain number'],
  [/[^A-Za-z0-9]/, 'Password must contain symbol'],
];

/** What Zitadel stores for somebody whose browser has the language `en-US`. */
const locale = 'en-u-rg-uszzzz';

/** Reads what somebody has entered; empty where there is nothing. */
export const enteredIn = ({ call }: LoginContext): Registered => ({
  firstname: call.params['firstname'] ?? '',
  lastname: call.params['lastname'] ?? '',
  email: call.params['email'] ?? '',
});

/** Returns why somebody cannot register under these names, or `undefined`. An address that another user has is none. */
export function problemOf({ instance }: LoginContext, entered: Registered): string | undefined {
  if (entered.firstname === '' || entered.lastname === '') return 'Name is missing';
  if (!/^[^@\s]+@[^@\s]+$/.test(entered.email)) return 'E-Mail is invalid';
  return instance.directory.byLoginName(entered.email) ? 'User already exists' : undefined;
}

/** Returns why a new password is refused, or `undefined`. */
export function passwordProblem(password = '', confirmation = ''): string | undefined {
  if (password !== confirmation) return 'Password confirmation does not match';
  return passwordPolicy.find(([pattern]) => !pattern.test(password))?.[1];
}

/** Creates the user, in the organization of the request or, without one, in that of the project. The address is the login name. */
export async function register(
  { instance, request }: LoginContext,
  { firstname, lastname, email }: Registered,
  password: string,
): Promise<SandboxUser> {
  const { directory, changes, store } = instance;
  const organization = directory.organizations.find(({ id }) => id === request.organizationId);
  const user = directory.add({
    loginName: email,
    id: newId(),
    givenName: firstname,
    familyName: lastname,
    email,
    emailVerified: false,
    locale,
    password,
    organization: organization?.name ?? projectOwner,
    goodFor: 'a user who has registered',
  });
  await addClient(store, user.id);
  changes.created(user);
  return user;
}

/** Verifies the address of a registered user whose code was entered; `undefined` for another code. */
export function activated({ call, instance }: LoginContext, userId: string | undefined) {
  const user = instance.directory.byId(userId);
  if (user?.kind !== 'human' || user.emailVerified !== false || call.form['code'] !== codeOf(user, 'e-mail'))
    return undefined;
  user.emailVerified = true;
  return user;
}
