import { z } from 'zod';
import { isApplicationId } from './applications.js';
import type { RoleGrant, UserSpec } from './users.js';

/** Thrown for an invalid list of users; the message has one line per problem, with the path of the field. */
export class UserFileError extends Error {
  constructor(readonly problems: string[]) {
    super(`The list of users is invalid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** A schema for each field of `Type`, so that the compiler finds a missing one. */
type Fields<Type> = { [Field in keyof Type]-?: z.ZodType };

const text = z.string().min(1);
const optionalText = text.optional();
const optionalTexts = z.array(text).optional();

const grant = z.strictObject({
  organization: optionalText,
  projectId: optionalText,
  roles: z.array(text),
} satisfies Fields<RoleGrant>);

const user = z.strictObject({
  loginName: text,
  kind: z.enum(['human', 'machine']).optional(),
  id: z
    .string()
    .regex(/^\d+$/, 'expected digits')
    .refine((id) => !isApplicationId(id), 'is already the id of an application')
    .optional(),
  password: optionalText,
  secondFactor: z.enum(['totp', 'passkey']).optional(),
  givenName: optionalText,
  familyName: optionalText,
  displayName: optionalText,
  nickname: optionalText,
  gender: z.enum(['female', 'male', 'diverse']).optional(),
  locale: text.nullish(),
  email: optionalText,
  emailVerified: z.boolean().optional(),
  phone: optionalText,
  phoneVerified: z.boolean().optional(),
  picture: optionalText,
  organization: optionalText,
  roles: optionalTexts,
  grants: z.array(grant).optional(),
  metadata: z.record(z.string(), text).optional(),
  groups: optionalTexts,
  goodFor: optionalText,
  accessTokenType: z.enum(['opaque', 'jwt']).optional(),
  clientSecret: optionalText,
} satisfies Fields<UserSpec>);

const userList = z
  .array(user)
  .min(1, 'expected at least one user')
  .superRefine((users, context) => {
    for (const field of ['loginName', 'id'] as const) {
      const values = users.map((one) => one[field]);
      values.forEach((value, index) => {
        if (value === undefined || values.indexOf(value) === index) return;
        context.addIssue({ code: 'custom', path: [index, field], message: 'duplicate' });
      });
    }
  });

/**
 * Validates a parsed JSON document: a list of objects with the fields of `UserSpec`.
 *
 * @throws UserFileError with all problems
 */
export function readUsers(document: unknown): UserSpec[] {
  const { data, error } = userList.safeParse(document);
  if (!error) return data as UserSpec[];
  throw new UserFileError(
    error.issues.map(({ path, message }) => `users${z.core.toDotPath(path)}: ${message}`),
  );
}
