/** A value that may be there already. */
export type Eventual<T> = T | Promise<T>;

/** Applies `next` at once to a value that is there: waiting for nothing costs a request more than reading its session. */
export function mapped<T, R>(value: Eventual<T>, next: (value: T) => Eventual<R>): Eventual<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
