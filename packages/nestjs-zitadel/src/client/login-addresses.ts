/** Where people log in at Zitadel, and where the code becomes a token: for pages that cannot wait for its metadata. */
export const loginAddresses = (issuer: string) => ({
  authorizationUrl: `${issuer}/oauth/v2/authorize`,
  tokenUrl: `${issuer}/oauth/v2/token`,
});
