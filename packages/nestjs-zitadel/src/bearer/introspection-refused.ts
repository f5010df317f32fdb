/** What Zitadel answers whoever it does not know; RFC 6749 5.2 has the one, Zitadel's introspection the other. */
const UNKNOWN_CALLER = ['invalid_client', 'unauthorized_client'];

/** Zitadel answered with a status other than 200: nothing is known about the token. */
export class IntrospectionRefused extends Error {
  /** Whether another question may well be answered: nothing is wrong with Zitadel, or with who asks. */
  readonly isAboutOneQuestion: boolean;
  /** Whether Zitadel refuses the key of this API. */
  readonly isCallerUnknown: boolean;

  /**
   * @param error of the answer (RFC 6749 5.2), whatever it is
   * @param date the `Date` header of the answer
   */
  constructor(
    readonly status: number,
    error: unknown,
    date?: string,
  ) {
    const code = typeof error === 'string' && /^[a-z_]{1,40}$/.test(error) ? error : undefined;
    const answer = `status ${status}${code ? `, ${code}` : ''}`;
    const isCallerUnknown = code !== undefined && UNKNOWN_CALLER.includes(code);
    super(
      isCallerUnknown
        ? `Zitadel does not accept this API's key: ${causeOf(date)} (${answer})`
        : `The introspection answered an error: ${answer}`,
    );
    this.name = 'IntrospectionRefused';
    this.isCallerUnknown = isCallerUnknown;
    this.isAboutOneQuestion = status >= 400 && status < 500 && status !== 401 && !isCallerUnknown;
  }
}

/** Seconds by which clocks may differ before that is worth a word. */
const NOTABLE_SECONDS = 5;

/** An assertion is refused for its times as well as for its key, and Zitadel does not say for which. */
function causeOf(date: string | undefined): string {
  const aheadSeconds = Math.round((Date.now() - Date.parse(date ?? '')) / 1000);
  if (!(Math.abs(aheadSeconds) > NOTABLE_SECONDS)) return 'check the key and the client ID';
  const side = aheadSeconds > 0 ? 'ahead of' : 'behind';
  return `the clock of this machine is ${Math.abs(aheadSeconds)} s ${side} Zitadel's. Set it right, then check the key and the client ID`;
}
