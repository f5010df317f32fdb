import { HttpException } from '@nestjs/common';

const MAX_DEPTH = 8;

/**
 * An error and its causes, for the log: names and messages, what a provider answered, and for errors nobody expected
 * where in the code. Never request data.
 */
export function describeError(error: unknown): string {
  const lines: string[] = [];
  let cause: unknown = error;
  for (; cause instanceof Error && lines.length < MAX_DEPTH; cause = causeOf(cause)) {
    const isExpected = cause instanceof HttpException || lines.length > 0;
    const stack = isExpected ? '' : (cause.stack?.slice(cause.stack.indexOf('\n')) ?? '');
    lines.push(`${cause.name}: ${cause.message}${stack}`);
  }
  const answer = providerAnswer(cause);
  if (answer) lines.push(answer);
  return lines.join('\ncaused by ') || 'Something that is no Error was thrown';
}

/** Auth.js puts the original error into `cause.err`. */
export const causeOf = ({ cause }: Error): unknown => (cause as { err?: unknown } | undefined)?.err ?? cause;

/** An OAuth error answer (RFC 6749 5.2), which libraries put at the end of the chain. */
function providerAnswer(cause: unknown): string | undefined {
  const { error, error_description: description } = (cause ?? {}) as Record<string, unknown>;
  return typeof error === 'string' ? `answer ${JSON.stringify({ error, description })}` : undefined;
}
