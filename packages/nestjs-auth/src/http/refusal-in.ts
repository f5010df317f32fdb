import type { ExecutionContext, HttpException } from '@nestjs/common';

type ExceptionClass = new (answer: object) => Error;

/**
 * Rejects with a refusal in the form that the library of a context sends to the caller: WebSockets and microservices answer any other
 * error with "Internal server error", and log it.
 */
export async function refusalIn(context: ExecutionContext, refusal: HttpException): Promise<never> {
  const type = context.getType<string>();
  const answer = { status: 'error', ...(refusal.getResponse() as object) };
  if (type === 'ws') throw await made('@nestjs/websockets', 'WsException', answer, refusal);
  if (type === 'rpc') throw await made('@nestjs/microservices', 'RpcException', answer, refusal);
  throw refusal;
}

/** A context of its kind exists only where the package does. The name is no literal, so that bundlers do not look for it elsewhere. */
async function made(packageName: string, className: string, answer: object, refusal: Error): Promise<Error> {
  try {
    const { [className]: found } = (await import(packageName)) as Record<string, ExceptionClass>;
    return found ? new found(answer) : refusal;
  } catch {
    return refusal;
  }
}
