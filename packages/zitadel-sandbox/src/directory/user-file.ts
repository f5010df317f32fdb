import { isApplicationId } from './applications.js';
import type { RoleGrant, UserSpec } from './users.js';

/** Thrown for an invalid list of users; the message has one line per problem, with the path of the field. */
export class UserFileError extends Error {
  constructor(readonly problems: string[]) {
    super(`The list of users is invalid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

type Check = (value: unknown) => string | undefined;

const nonEmptyString: Check = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'a non-empty string';
const bool: Check = (value) => (typeof value === 'boolean' ? undefined : 'true or false');
const stringList: Check = (value) =>
  isListOf(value, nonEmptyString) ? undefined : 'a list of non-empty strings';
const stringMap: Check = (value) =>
  isObject(value) && isListOf(Object.values(value), nonEmptyString)
    ? undefined
    : 'an object with string values';

/** The problems of a value, each with its path. */
type Problems = (value: unknown, at: string) => string[];

function oneOf(...words: string[]): Check {
  return (value) =>
    typeof value === 'string' && words.includes(value)
      ? undefined
      : words.map((word) => `"${word}"`).join(' or ');
}

function expecting(check: Check): Problems {
  return (value, at) => {
    const expected = check(value);
    return expected === undefined ? [] : [`${at}: expected ${expected}`];
  };
}

function userId(value: unknown, at: string): string[] {
  if (typeof value !== 'string' || !/^\d+$/.test(value)) return [`${at}: expected a string of digits`];
  return isApplicationId(value) ? [`${at}: is already the id of an application`] : [];
}

const grantFields: { [Field in keyof RoleGrant]-?: Problems } = {
  organization: expecting(nonEmptyString),
  projectId: expecting(nonEmptyString),
  roles: expecting(stringList),
};

function grants(value: unknown, at: string): string[] {
  return Array.isArray(value)
    ? value.flatMap((grant, index) => fieldProblems(grant, `${at}[${index}]`, grantFields, 'roles'))
    : [`${at}: expected a list of {"organization","roles"}`];
}

const userFields: { [Field in keyof UserSpec]-?: Problems } = {
  loginName: expecting(nonEmptyString),
  kind: expecting(oneOf('human', 'machine')),
  id: userId,
  password: expecting(nonEmptyString),
  givenName: expecting(nonEmptyString),
  familyName: expecting(nonEmptyString),
  displayName: expecting(nonEmptyString),
  nickname: expecting(nonEmptyString),
  gender: expecting(oneOf('female', 'male', 'diverse')),
  locale: expecting((value) =>
    value === null ? undefined : nonEmptyString(value) && 'a non-empty string or null',
  ),
  email: expecting(nonEmptyString),
  emailVerified: expecting(bool),
  phone: expecting(nonEmptyString),
  phoneVerified: expecting(bool),
  picture: expecting(nonEmptyString),
  organization: expecting(nonEmptyString),
  roles: expecting(stringList),
  grants,
  metadata: expecting(stringMap),
  groups: expecting(stringList),
  goodFor: expecting(nonEmptyString),
  accessTokenType: expecting(oneOf('opaque', 'jwt')),
  clientSecret: expecting(nonEmptyString),
};

/**
 * Validates a parsed JSON document: a list of objects with the fields of `UserSpec`.
 *
 * @throws UserFileError with all problems
 */
export function readUsers(document: unknown): UserSpec[] {
  if (!Array.isArray(document) || document.length === 0) {
    throw new UserFileError([
      'expected a non-empty list of users, such as [{"loginName": "dora@acme.example"}]',
    ]);
  }
  const problems = document.flatMap((user: unknown, index) =>
    fieldProblems(user, `users[${index}]`, userFields, 'loginName'),
  );
  for (const field of ['loginName', 'id'] as const) problems.push(...duplicates(document, field));
  if (problems.length > 0) throw new UserFileError(problems);
  return document as UserSpec[];
}

function fieldProblems(
  value: unknown,
  at: string,
  fields: Record<string, Problems>,
  required: string,
): string[] {
  if (!isObject(value)) return [`${at}: expected an object`];
  const missing = Object.hasOwn(value, required) ? [] : [`${at}.${required}: required`];
  const wrong = Object.entries(value).flatMap(([field, one]) => {
    const problems = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return problems
      ? problems(one, `${at}.${field}`)
      : [`${at}.${field}: unknown field; the fields are ${Object.keys(fields).join(', ')}`];
  });
  return [...missing, ...wrong];
}

function duplicates(users: unknown[], field: 'loginName' | 'id'): string[] {
  const values = users.map((user) => (isObject(user) ? user[field] : undefined));
  return values.flatMap((value, index) =>
    value !== undefined && values.indexOf(value) < index ? [`users[${index}].${field}: duplicate`] : [],
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, check: Check): boolean {
  return Array.isArray(value) && value.every((one) => check(one) === undefined);
}
