/**
 * An OAuth error response, sent as
 * `{"error","error_description"}`. Zitadel uses status 400 for most of them, also where RFC 6749 says 401.
 */
export class OidcError extends Error {
  constructor(
    readonly error: string,
    readonly description?: string,
    readonly status = 400,
  ) {
    super(description ?? error);
  }

  get body(): { error: string; error_description?: string } {
    return this.description === undefined
      ? { error: this.error }
      : { error: this.error, error_description: this.description };
  }
}

/** The last sentence of several error descriptions of the authorization endpoint. */
export const contact = 'If you have any questions, you may contact the administrator of the application.';
