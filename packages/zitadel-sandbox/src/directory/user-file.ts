import { isApplicationId } from './applications.js';
import type { RoleGrant, UserSpec } from './users.js';

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

/** Everything that is wrong with a value, each problem with the path to it. */
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
  if (typeof value !== 'string' || !/^\d+$/.test(value)) return [`${at}: expected a text of digits`];
  return isApplicationId(value) ? [`${at}: is the id of an application`] : [];
}

const grantFields: { [Field in keyof RoleGrant]-?: Problems } = {
  organization: expecting(text),
  projectId: expecting(text),
  roles: expecting(texts),
};

function grants(value: unknown, at: string): string[] {
  return Array.isArray(value)
    ? value.flatMap((grant, index) => fieldProblems(grant, `${at}[${index}]`, grantFields, 'roles'))
    : [`${at}: expected a list of {"organization","roles"}`];
}

const userFields: { [Field in keyof UserSpec]-?: Problems } = {
  loginName: expecting(text),
  kind: expecting(oneOf('human', 'machine')),
  id: userId,
  password: expecting(text),
  givenName: expecting(text),
  familyName: expecting(text),
  displayName: expecting(text),
  nickname: expecting(text),
  gender: expecting(oneOf('female', 'male', 'diverse')),
  locale: expecting((value) => (value === null ? undefined : text(value) && 'a text or null')),
  email: expecting(text),
  emailVerified: expecting(truth),
  phone: expecting(text),
  phoneVerified: expecting(truth),
  picture: expecting(text),
  organization: expecting(text),
  roles: expecting(texts),
  grants,
  metadata: expecting(textMap),
  groups: expecting(texts),
  goodFor: expecting(text),
  accessTokenType: expecting(oneOf('opaque', 'jwt')),
  clientSecret: expecting(text),
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
  const problems = document.flatMap((user: unknown, index) =>
    fieldProblems(user, `users[${index}]`, userFields, 'loginName'),
  );
  for (const field of ['loginName', 'id'] as const) problems.push(...repeated(document, field));
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
  const missing = Object.hasOwn(value, required) ? [] : [`${at}.${required}: is missing`];
  const wrong = Object.entries(value).flatMap(([field, one]) => {
    const problems = Object.hasOwn(fields, field) ? fields[field] : undefined;
    return problems
      ? problems(one, `${at}.${field}`)
      : [`${at}.${field}: is not known; known are ${Object.keys(fields).join(', ')}`];
  });
  return [...missing, ...wrong];
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
