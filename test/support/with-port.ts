/** The name of a cookie of the application at `origin`, which contains its port. */
export const withPort = (name: string, origin: string) => `${name}-${new URL(origin).port}`;
