/** Seconds since 1970, as in a JWT. */
export const now = () => Math.floor(Date.now() / 1000);
