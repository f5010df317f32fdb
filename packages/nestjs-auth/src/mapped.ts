/** A value that may be there already. */
export type Eventual<T> = T | Promise<T>;

/** Applies `next` at once to a value that is there: waiting for nothing costs a request more than reading its session. */
export function mapped<T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return isPromise(value) ? Promise.resolve(value).then(next) : next(value);
}

/** Callbacks of a program may give any object with `then`. */
const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
