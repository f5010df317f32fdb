import { HttpException } from '@nestjs/common';

const MAX_DEPTH = 8;

/** Enough to understand a message; more of it is somebody's input. */
const MAX_LENGTH = 500;

/** C0, DEL, C1, and what some viewers take for the end of a line. */
// eslint-disable-next-line no-control-regex -- those are meant
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

/**
 * An error and its causes, for the log: names and messages, what a provider answered, and for errors nobody expected
 * where in the code. Never request data. What others have written stays on its line (CWE-117).
 *
 * @param options.withPlaces says where in the code. Default true; never where a provider's answer is the cause
 */
export function describeError(error: unknown, { withPlaces = true } = {}): string {
  const lines: string[] = [];
  let cause: unknown = error;
  const hasPlaces = withPlaces && providerAnswer(rootOf(error)) === undefined;
  for (; cause instanceof Error && lines.length < MAX_DEPTH; cause = causeOf(cause)) {
    const isExpected = !hasPlaces || cause instanceof HttpException || lines.length > 0;
    lines.push(`${onOneLine(cause.name)}: ${onOneLine(cause.message)}${isExpected ? '' : framesOf(cause)}`);
  }
  const answer = providerAnswer(cause);
  if (answer) lines.push(answer);
  return lines.join('\ncaused by ') || 'Something that is no Error was thrown';
}

/** Auth.js puts the original error into `cause.err`. */
export const causeOf = ({ cause }: Error): unknown => (cause as { err?: unknown } | undefined)?.err ?? cause;

function rootOf(error: unknown): unknown {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < MAX_DEPTH; depth++) cause = causeOf(cause);
  return cause;
}

/** An OAuth error answer (RFC 6749 5.2), which libraries put at the end of the chain. */
function providerAnswer(cause: unknown): string | undefined {
  const { error, error_description: description } = (cause ?? {}) as Record<string, unknown>;
  return typeof error === 'string'
    ? `answer ${onOneLine(JSON.stringify({ error, description }))}`
    : undefined;
}

function onOneLine(text: string): string {
  const short = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return short.replace(CONTROL, (character) => {
    const named = JSON.stringify(character).slice(1, -1);
    return named.length > 1 ? named : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** A stack repeats the message before it says where. */
function framesOf({ message, stack = '' }: Error): string {
  const at = stack.indexOf(message);
  const frames = at < 0 ? [] : stack.slice(at + message.length).split('\n');
  return frames
    .filter((line) => /^\s+at /.test(line))
    .map((line) => `\n${line}`)
    .join('');
}
