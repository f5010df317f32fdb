import {
  describeError,
  newReference,
  type HttpRequest,
  type RefusalFacts,
  type RefusalReason,
} from '@mridang/nestjs-auth';
import { HttpException, Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { aboutRequest } from '../log/audit-log.js';
import { LimitedLog } from '../log/limited-log.js';
import { ZITADEL_CONNECTION, type ZitadelConnection } from '../zitadel.options.js';
import { explain, phrasesOf, shortened, type Explanation } from './explanation.js';
import { failureTexts } from './failure-texts.js';

/** What the answer to a refused request has beside status and message. */
export interface RefusalAnswer {
  code: string;
  /** for the log line */
  reference: string;
  /** only with the option `explainRefusals` */
  explanation?: Explanation;
}

/** Whether a request has no credential, the normal case at a public address. */
const isUsual = (code: string, { headers }: Pick<HttpRequest, 'headers'>) =>
  code === 'AUTH_SESSION_REQUIRED' || (code === 'API_TOKEN_REQUIRED' && headers.authorization === undefined);

/** Kept for the error page of a failed sign-in, which has the reference in its address. */
const MAX_KEPT = 100;
const KEPT_MS = 900_000;

/** Of an error and its causes in a line of the log. */
const MAX_CHAIN_LENGTH = 1_000;

/**
 * Gives each refusal (401, 403) a code and a reference, and logs one line with the explanation under that reference; with the option
 * `explainRefusals` the answer has it, too. The errors say what was needed and what was there (`RefusalReason`).
 */
@Injectable()
export class Refusals implements OnApplicationShutdown {
  private readonly logger = new Logger('Refusal');
  private readonly limited = new LimitedLog(this.logger);
  private readonly kept = new LRUCache<string, Explanation>({ max: MAX_KEPT, ttl: KEPT_MS });

  constructor(@Inject(ZITADEL_CONNECTION) private readonly options: ZitadelConnection) {}

  onApplicationShutdown() {
    this.limited.end();
  }

  /**
   * Returns what the answer to a refusal says; `undefined` for errors with another status. Logs the refusal. A failed sign-in is in the log
   * already.
   *
   * @param also further facts about the request
   */
  report(error: unknown, request: RefusedRequest, also?: RefusalFacts): RefusalAnswer | undefined {
    if (!(error instanceof HttpException) || ![401, 403].includes(error.getStatus())) return undefined;
    const { code = codeOf(error), reference: given = '', reason } = membersOf(error);
    const reference = REFERENCE.test(given) ? given : newReference();
    const explanation = explain(error as RefusalReason, { code, reason, also });
    if (code !== SIGN_IN_FAILED) this.log(error, { code, reference, explanation }, request);
    if (!this.options.explainRefusals) return { code, reference };
    if (code === SIGN_IN_FAILED) this.kept.set(reference, explanation);
    return { code, reference, explanation };
  }

  /** The explanation of a sign-in that failed a short time ago; only with the option `explainRefusals`. */
  explanationOf(reference: string): Explanation | undefined {
    return this.kept.get(reference);
  }

  private log(
    error: HttpException,
    { code, reference, explanation }: Required<RefusalAnswer>,
    request: RefusedRequest,
  ) {
    const { needed, held } = phrasesOf(explanation);
    const isKnown = Object.hasOwn(failureTexts, code);
    const parts = [
      `Refused with ${error.getStatus()} ${code}, reference ${reference}`,
      ...(isKnown && code !== codeOf(error) ? [] : [`error: ${chainOf(error)}`]),
      ...(needed.length > 0 ? [`needed: ${needed.join('; ')}`] : []),
      ...(held.length > 0 ? [`present: ${held.join('; ')}`] : []),
      ...(explanation.help ? [`what helps: ${explanation.help}`] : []),
    ];
    const fields = {
      ...{ event: 'refused', reason: code, reference },
      ...{ method: request.method, route: routeOf(request) },
      ...{ needed: explanation.needed, held: explanation.held },
    };
    const text = parts.join('. ');
    if (isUsual(code, request)) this.logger.debug(text, aboutRequest(request, fields));
    else {
      const level = error.getStatus() === 401 ? 'log' : 'warn';
      this.limited.say(level, isKnown ? code : 'other', text, aboutRequest(request, fields));
    }
  }
}

const REFERENCE = /^[\w.-]{1,64}$/;
/** Express sets `route` where one matches. */
type RefusedRequest = Pick<HttpRequest, 'headers' | 'method'> & { route?: unknown };

const MAX_ROUTE_LENGTH = 200;

/** The pattern of the route, as in other lines: no client chooses it, and it has no query. */
function routeOf({ route }: RefusedRequest): string {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path.slice(0, MAX_ROUTE_LENGTH) : 'none';
}

const SIGN_IN_FAILED = 'AUTH_SIGN_IN_FAILED';

const codeOf = (error: HttpException) => (error.getStatus() === 401 ? 'UNAUTHORIZED' : 'FORBIDDEN');

/** Names, messages and causes in one line. */
const chainOf = (error: HttpException) =>
  shortened(describeError(error, { withStack: false }).replaceAll('\n', ' '), MAX_CHAIN_LENGTH);

/** A member of a program's own error may be of any type. */
function membersOf(error: object): { code?: string; reference?: string; reason?: string } {
  const { code, reference, reason } = error as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries({ code, reference, reason }).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, shortened(value)]] : [],
    ),
  );
}
