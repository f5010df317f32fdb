/** A set-up that cannot go on. The message says what is wrong and what to do; it never has a secret. */
export class SetupError extends Error {}

/** A command line or an answer that cannot be used. */
export class UsageError extends SetupError {}
