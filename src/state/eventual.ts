/** A value that may be there already: waiting for nothing costs a request more than reading its session. */
export type Eventual<T> = T | Promise<T>;
