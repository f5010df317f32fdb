/** What makes Zitadel refuse this program, whoever signs in or calls: for readiness. */
export abstract class SetupProblems {
  /** the mistakes that are known, as short codes */
  abstract get codes(): readonly string[];
}
