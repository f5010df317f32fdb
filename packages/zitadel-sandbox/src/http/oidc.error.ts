/**
 * An answer of the protocol that is not a success, told to the caller as
 * `{"error","error_description"}`. Zitadel answers most of them with 400, also where the RFC says 401.
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

/** The end of many a message of the authorization endpoint. */
export const contact = 'If you have any questions, you may contact the administrator of the application.';
