import { HttpException } from '@nestjs/common';
import { isProviderUnavailable, type SignInFailed } from '../auth.errors.js';

/** Bounds the walk along `cause`: a chain may be a cycle. */
const MAX_DEPTH = 8;

/** Characters of a message that reach the log: a longer one is mostly input of a caller. */
const MAX_LENGTH = 500;

/** C0, DEL, C1, and the line separators of Unicode. */
// eslint-disable-next-line no-control-regex -- control characters are what this pattern is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * Returns the log text of an error and its causes: names, messages, the provider's error response, and the stack of an unexpected
 * error. Holds no request data. Control characters are escaped, so that a message cannot forge a log line (CWE-117).
 *
 * @param options.withStack Default true. An error whose cause is a provider's response never has a stack
 */
export function describeError(error: unknown, { withStack = true } = {}): string {
  const lines: string[] = [];
  let cause: unknown = error;
  const isUnexpected = withStack && providerAnswer(rootOf(error)) === undefined;
  for (; cause instanceof Error && lines.length < MAX_DEPTH; cause = causeOf(cause)) {
    const hasStack = isUnexpected && !(cause instanceof HttpException) && lines.length === 0;
    lines.push(`${onOneLine(cause.name)}: ${onOneLine(cause.message)}${hasStack ? framesOf(cause) : ''}`);
  }
  const answer = providerAnswer(cause);
  if (answer) lines.push(answer);
  return lines.join('\ncaused by ') || 'A non-Error value was thrown';
}

/**
 * Returns the log text of a failed sign-in: reason, reference, and its cause. A stack is included only where an operator has to act, not
 * for what a user or a link has caused.
 */
export function describeSignInFailure(failure: SignInFailed): string {
  const { reason, reference, cause } = failure;
  const what = `Sign-in failed (${reason}, reference ${reference})`;
  if (cause === undefined) return what;
  return cause instanceof Error
    ? `${what}\n${describeError(cause, { withStack: failure.needsOperator })}`
    : `${what}: ${describeError(cause)}`;
}

/** Seconds until a retry makes sense, where the provider has said so (`Retry-After`): of an error itself or of one of its causes. */
export function retryAfterOf(error: unknown): number | undefined {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_DEPTH; cause = causeOf(cause), depth++)
    if (isProviderUnavailable(cause) && cause.retryAfterSeconds !== undefined) return cause.retryAfterSeconds;
  return undefined;
}

/** Auth.js puts the original error into `cause.err`. */
export const causeOf = ({ cause }: Error): unknown => (cause as { err?: unknown } | undefined)?.err ?? cause;

function rootOf(error: unknown): unknown {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_DEPTH; depth++) cause = causeOf(cause);
  return cause;
}

/** An OAuth error response (RFC 6749 5.2): libraries put it at the end of the chain. */
function providerAnswer(cause: unknown): string | undefined {
  const { error, error_description: description } = (cause ?? {}) as Record<string, unknown>;
  return typeof error === 'string'
    ? `answer ${onOneLine(JSON.stringify({ error, description }))}`
    : undefined;
}

/** Returns a text as a part of a log line: bounded in length, control characters escaped (CWE-117). */
export function onOneLine(text: string, maxLength = MAX_LENGTH): string {
  const short = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return short.replace(CONTROL, (character) => {
    const named = JSON.stringify(character).slice(1, -1);
    return named.length > 1 ? named : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The frames of a stack alone: `stack` begins with the message. */
function framesOf({ message, stack = '' }: Error): string {
  const at = stack.indexOf(message);
  const frames = at < 0 ? [] : stack.slice(at + message.length).split('\n');
  return frames
    .filter((line) => /^\s+at /.test(line))
    .map((line) => `\n${line}`)
    .join('');
}
