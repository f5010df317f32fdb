/** What Zitadel answers whoever it does not know; RFC 6749 5.2 has the one, Zitadel's introspection the other. */
const UNKNOWN_CALLER = ['invalid_client', 'unauthorized_client'];

/** Zitadel answered with a status other than 200: nothing is known about the token. */
export class IntrospectionRefused extends Error {
  /** Whether another question may well be answered: nothing is wrong with Zitadel, or with who asks. */
  readonly isAboutOneQuestion: boolean;

  /** @param error of the answer (RFC 6749 5.2), whatever it is */
  constructor(
    readonly status: number,
    error: unknown,
  ) {
    const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
    const answer = `status ${status}${code ? `, ${code}` : ''}`;
    const isCallerUnknown = code !== undefined && UNKNOWN_CALLER.includes(code);
    super(
      isCallerUnknown
        ? `Zitadel does not accept this API's key: check the key and the client ID (${answer})`
        : `The introspection answered an error: ${answer}`,
    );
    this.name = 'IntrospectionRefused';
    this.isAboutOneQuestion =
      status >= 400 && status < 500 && status !== 401 && status !== 429 && !isCallerUnknown;
  }
}
