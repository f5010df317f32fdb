import { hash } from 'node:crypto';
import { retryAfterOf } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { ZITADEL_API_OPTIONS, type ResolvedZitadelApiOptions } from '../zitadel.options.js';
import { ClientAssertion } from '../tokens/client-assertion.js';
import { Discovery } from '../client/discovery.js';
import { SetupProblems } from '../setup/setup-problems.js';
import { IntrospectionUnavailable, TokenInvalid } from './api.errors.js';
import type { Caller } from './caller.js';
import { AnswerUnusable, introspected } from './introspected.js';
import { IntrospectionLog } from './introspection-log.js';
import { IntrospectionRefused } from './introspection-refused.js';
import { Verdicts, type Verdict } from './verdicts.js';

/** Longest time a revoked token goes on working. */
const ACCEPTED_MS = 60_000;

/** A token that is refused may be one that Zitadel does not know yet. */
const REJECTED_MS = 10_000;

/** Of each kind. */
const MAX_KNOWN = 10_000;

/** How long a caller waits for a connection: who is far away is reached when the caller tries again. */
const CONNECTION_MS = 750;

/** Counted in so many ticks, each a turn of the event loop at least: on a busy machine no connection is made any sooner. */
const TICKS = 10;

/** Questions under way: beyond, nobody would get an answer in time. */
const MAX_FLIGHTS = 1_000;

/** After so many failures in a row Zitadel is left alone… */
const FAILURES = 5;
/** …for so long. */
const PAUSE_MS = 5_000;

/** Asks Zitadel about access tokens (RFC 7662), and no more often than it has to. */
@Injectable()
export class Introspection extends SetupProblems {
  private readonly log = new IntrospectionLog();
  private readonly assertion: ClientAssertion;
  private isKeyRefused = false;
  private endpoint: string | undefined;
  private readonly known = new Verdicts(MAX_KNOWN);
  private readonly flights = new Map<string, Promise<Verdict>>();
  private readonly breaker = circuitBreaker(
    handleWhen(
      (error) =>
        !(error instanceof IntrospectionRefused && error.isAboutOneQuestion) &&
        // Discovery leaves Zitadel alone for as long as it has asked for.
        retryAfterOf(error) === undefined,
    ),
    { halfOpenAfter: PAUSE_MS, breaker: new ConsecutiveBreaker(FAILURES) },
  );

  constructor(
    @Inject(ZITADEL_API_OPTIONS) private readonly options: ResolvedZitadelApiOptions,
    private readonly discovery: Discovery,
  ) {
    super();
    this.assertion = new ClientAssertion(options.key, options.issuer);
    this.breaker.onBreak((reason) => this.log.paused('error' in reason ? reason.error : undefined));
    this.breaker.onReset(() => this.log.resumed());
  }

  get codes(): readonly string[] {
    return this.isKeyRefused ? ['api_key_refused'] : [];
  }

  /**
   * Whose token it is: at once where that is known. Throws `TokenInvalid`, or `IntrospectionUnavailable` when Zitadel does
   * not say.
   */
  async callerOf(token: string): Promise<Caller> {
    const key = keyOf(token);
    const known = this.known.get(key);
    if (!known) return this.answerFor(key, token);
    this.options.observer.introspectionCached?.(resultOf(known));
    return accepted(known);
  }

  /** As `callerOf`, and takes no answer that was there before. `callerOf` knows this one from then on. */
  async callerNow(token: string): Promise<Caller> {
    return this.answerFor(keyOf(token), token);
  }

  private async answerFor(key: string, token: string): Promise<Caller> {
    const flight = this.flights.get(key) ?? this.start(key, token);
    let timer: NodeJS.Timeout | undefined;
    let ticks = 0;
    const unreachable = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (++ticks < TICKS) return;
        clearInterval(timer);
        const reason = this.reasonToLeave();
        if (reason) reject(this.impatience(reason));
      }, CONNECTION_MS / TICKS);
    });
    let verdict: Verdict;
    try {
      verdict = await Promise.race([flight, unreachable]);
    } catch (cause) {
      throw new IntrospectionUnavailable({ cause });
    } finally {
      clearInterval(timer);
    }
    return accepted(verdict);
  }

  /** Why nobody should go on waiting. The answer may still come, and is there when the caller tries again. */
  private reasonToLeave(): string | undefined {
    if (!this.endpoint || !this.discovery.isConnectedTo(this.endpoint))
      return `no connection to Zitadel within ${CONNECTION_MS} ms`;
    if (this.breaker.state === CircuitState.HalfOpen)
      return `Zitadel is asked one question, with no answer within ${CONNECTION_MS} ms`;
    return undefined;
  }

  private start(key: string, token: string): Promise<Verdict> {
    if (this.flights.size >= MAX_FLIGHTS) {
      throw new IntrospectionUnavailable({
        cause: this.impatience(`${MAX_FLIGHTS} questions are under way`),
      });
    }
    const flight = this.ask(token)
      .then((verdict) => {
        this.known.set(key, verdict);
        return verdict;
      })
      .finally(() => this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private impatience(reason: string): Error {
    const error = new Error(reason);
    this.log.impatient(error);
    return error;
  }

  private async ask(token: string): Promise<Verdict> {
    try {
      const verdict = await this.breaker.execute(async () => this.verdictOn(await this.answerAbout(token)));
      this.isKeyRefused = false;
      this.log.answered();
      this.options.observer.introspected?.(resultOf(verdict));
      return verdict;
    } catch (error) {
      this.options.observer.introspected?.('unavailable');
      if (error instanceof IntrospectionRefused) this.isKeyRefused = error.isCallerUnknown;
      if (!(error instanceof BrokenCircuitError)) this.log.failed(error);
      throw error;
    }
  }

  private async answerAbout(token: string): Promise<unknown> {
    const { introspection_endpoint: endpoint } = await this.discovery.metadata();
    if (!endpoint) throw new AnswerUnusable('the metadata name no introspection endpoint');
    this.endpoint = endpoint;
    const assertion = this.assertion.get();
    const form = new URLSearchParams({
      token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion,
    });
    const { status, headers, ...answer } = await this.introspect(endpoint, form);
    const body = isJson(headers) ? parsed(answer.text) : undefined;
    if (status === 200) return body;
    // The assertion may be the reason: the next request gets another.
    if (status === 400 || status === 401) this.assertion.forget(assertion);
    const date = headers.get('date') ?? undefined;
    throw new IntrospectionRefused(status, (body as { error?: unknown } | null | undefined)?.error, date);
  }

  private async introspect(endpoint: string, body: URLSearchParams) {
    const timeoutMs = this.options.introspectionTimeoutSeconds * 1000;
    const init = { method: 'POST', body, headers: { accept: 'application/json' } };
    const answer = await this.discovery.fetch(endpoint, init, { timeoutMs, isRepeatable: true });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  private verdictOn(answer: unknown): Verdict {
    const { issuer, key, projectId, accepts } = this.options;
    const result = introspected(answer, { issuer, clientId: key.clientId, projectId, ...accepts });
    const now = Date.now();
    if ('rejected' in result) {
      this.log.rejected(result.rejected);
      return { until: now + REJECTED_MS };
    }
    this.log.accepted();
    const ends = result.expiresAt === undefined ? Infinity : result.expiresAt * 1000;
    return { caller: result, until: Math.min(now + ACCEPTED_MS, ends) };
  }
}

const resultOf = ({ caller }: Verdict) => (caller ? 'active' : 'inactive');

const keyOf = (token: string) => hash('sha256', token, 'base64');

/** A signed answer (RFC 9701) has a type of its own; nobody here asks for one or checks its signature. */
const isJson = (headers: Headers) => /^application\/json *(;|$)/i.test(headers.get('content-type') ?? '');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function accepted({ caller }: Verdict): Caller {
  if (!caller) throw new TokenInvalid();
  return caller;
}
