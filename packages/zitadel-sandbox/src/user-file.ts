import type { UserSpec } from './users.js';

/** Everything that is wrong with a list of users, one line each, named by field. */
export class UserFileError extends Error {
  constructor(readonly problems: string[]) {
    super(`The list of users cannot be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

type Check = (value: unknown) => string | undefined;

const text: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'a text');
const truth: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
const texts: Check = (value) => (isListOf(value, text) ? undefined : 'a list of texts');
const textMap: Check = (value) =>
  isObject(value) && isListOf(Object.values(value), text) ? undefined : 'an object of texts';
const grants: Check = (value) => (isListOf(value, grant) ? undefined : 'a list of {"organization","roles"}');

function oneOf(...words: string[]): Check {
  return (value) =>
    words.includes(String(value)) ? undefined : words.map((word) => `"${word}"`).join(' or ');
}

function grant(value: unknown): string | undefined {
  if (!isObject(value)) return 'an object';
  const { organization, projectId, roles, ...unknown } = value;
  const given = [organization, projectId].filter((one) => one !== undefined);
  return isListOf(given, text) && !texts(roles) && Object.keys(unknown).length === 0
    ? undefined
    : 'a role grant';
}

const fields: { [Field in keyof UserSpec]-?: Check } = {
  loginName: text,
  kind: oneOf('human', 'machine'),
  id: (value) => (/^\d+$/.test(String(value)) && typeof value === 'string' ? undefined : 'a text of digits'),
  password: text,
  givenName: text,
  familyName: text,
  displayName: text,
  nickname: text,
  gender: oneOf('female', 'male', 'diverse'),
  locale: text,
  email: text,
  emailVerified: truth,
  phone: text,
  phoneVerified: truth,
  picture: text,
  organization: text,
  roles: texts,
  grants,
  metadata: textMap,
  groups: texts,
  goodFor: text,
  accessTokenType: oneOf('opaque', 'jwt'),
  clientSecret: text,
};

/**
 * The users in a parsed JSON document: a list of objects with the fields of `UserSpec`.
 *
 * @throws UserFileError with every problem at once
 */
export function readUsers(document: unknown): UserSpec[] {
  if (!Array.isArray(document) || document.length === 0) {
    throw new UserFileError(['expected a list of users, such as [{"loginName": "dora@acme.example"}]']);
  }
  const problems = document.flatMap((user: unknown, index) => problemsOf(user, `users[${index}]`));
  for (const field of ['loginName', 'id'] as const) problems.push(...repeated(document, field));
  if (problems.length > 0) throw new UserFileError(problems);
  return document as UserSpec[];
}

function problemsOf(user: unknown, at: string): string[] {
  if (!isObject(user)) return [`${at}: expected an object`];
  const missing = 'loginName' in user ? [] : [`${at}.loginName: is missing`];
  const wrong = Object.entries(user).map(([field, value]) => {
    const check = Object.hasOwn(fields, field) ? fields[field as keyof UserSpec] : undefined;
    if (!check) return `${at}.${field}: is not known; known are ${Object.keys(fields).join(', ')}`;
    const expected = check(value);
    return expected === undefined ? undefined : `${at}.${field}: expected ${expected}`;
  });
  return [...missing, ...wrong.filter((problem) => problem !== undefined)];
}

function repeated(users: unknown[], field: 'loginName' | 'id'): string[] {
  const values = users.map((user) => (isObject(user) ? user[field] : undefined));
  return values.flatMap((value, index) =>
    value !== undefined && values.indexOf(value) < index ? [`users[${index}].${field}: is there twice`] : [],
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, check: Check): boolean {
  return Array.isArray(value) && value.every((one) => check(one) === undefined);
}
