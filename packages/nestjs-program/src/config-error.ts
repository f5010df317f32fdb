/** A problem with one variable, without its value. */
export interface Problem {
  variable: string;
  /** the end of the sentence "expected …" */
  expected: string;
  /** how to get a value */
  how?: string | undefined;
}

/** The configuration is invalid. Lists every problem by variable name, without values. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(`The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}`);
    this.name = 'ConfigError';
  }
}

/** The message that a program prints when its configuration is invalid. */
export function explain(error: ConfigError): string {
  const lines = error.problems.map(
    ({ variable, expected, how }) =>
      `  ${variable}: expected ${expected}${how ? `\n    get one: ${how}` : ''}`,
  );
  return [`${error.message}:`, ...lines, 'All variables: docs/configuration.md'].join('\n');
}
