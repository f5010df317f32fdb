import type { z } from 'zod';
import type { Problem } from './config-error.js';

/** An environment variable: documentation and schema. */
export interface Variable {
  about: string;
  /** what a value must be, as the end of the sentence "expected …" */
  expected: string;
  /** how to get a value */
  how?: string;
  /** shown in the documentation as the default */
  default?: string;
  /** the value in `.env.example`; refused in production */
  placeholder?: string;
  /** values in public examples; refused in production as well */
  examples?: RegExp;
  /** the default is for development */
  neededInProduction?: boolean;
  /** the schema removes quotes around the value */
  mayBeQuoted?: boolean;
  schema: z.ZodType<string | number | boolean | string[] | undefined>;
}

/** The values of `Variables` after their schemas. */
export type ValuesOf<Variables extends Record<string, Variable>> = {
  [Name in keyof Variables]: z.output<Variables[Name]['schema']>;
};

/** The same, where some may be invalid: their default is in place of them, if there is one. */
type ReadValues<Variables extends Record<string, Variable>> = {
  [Name in keyof Variables]:
    | z.output<Variables[Name]['schema']>
    | (undefined extends z.input<Variables[Name]['schema']> ? never : undefined);
};

/** Reads all variables. */
export function readVariables<Variables extends Record<string, Variable>>(
  variables: Variables,
  source: Record<string, string | undefined>,
) {
  const problems: Problem[] = [];
  const report = (variable: keyof Variables & string, expected?: string) => {
    const { expected: usual = '', how } = variables[variable] ?? {};
    problems.push({ variable, expected: expected ?? usual, how });
  };
  const production = given(source, 'NODE_ENV') === 'production';
  const values = Object.entries(variables).map(([name, variable]) => {
    const value = given(source, name);
    const result = variable.schema.safeParse(value);
    if (QUOTED.test(value ?? '') && !variable.mayBeQuoted)
      report(
        name,
        `${variable.expected}; without the quotes around it: docker run --env-file passes them on`,
      );
    else if (!result.success) report(name);
    else if (production && value === undefined && variable.neededInProduction) report(name);
    else if (production && isPublic(value, variable))
      report(name, `a value of your own: this one is public. Expected ${variable.expected}`);
    else return [name, result.data];
    return [name, variable.schema.safeParse(undefined).data];
  });
  return { values: Object.fromEntries(values) as ReadValues<Variables>, problems, report };
}

const QUOTED = /^(["'`])[^]*\1$/;

const isPublic = (value: string | undefined, { placeholder, examples }: Variable) =>
  value
    ?.split(',')
    .map((part) => part.trim())
    .some((part) => part === placeholder || examples?.test(part));

/** An empty value counts as missing. */
export const given = (source: Record<string, string | undefined>, name: string) =>
  source[name]?.trim() || undefined;
