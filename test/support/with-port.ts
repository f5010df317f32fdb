/** The name of a cookie of the application at `origin`, which has a port of its own. */
export const withPort = (name: string, origin: string) => `${name}-${new URL(origin).port}`;
