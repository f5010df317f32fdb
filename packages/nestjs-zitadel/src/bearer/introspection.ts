import { hash } from 'node:crypto';
import { retryAfterOf } from '@mridang/nestjs-auth';
import { Inject, Injectable } from '@nestjs/common';
import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleWhen } from 'cockatiel';
import { ZITADEL_API_OPTIONS, type ResolvedZitadelApiOptions } from '../zitadel.options.js';
import { ClientAssertion } from '../tokens/client-assertion.js';
import { Discovery } from '../client/discovery.js';
import { SetupProblems } from '../setup/setup-problems.js';
import {
  cureFor,
  inactiveBecause,
  localClaims,
  otherwiseInactive,
  presentedFacts,
  tokenFacts,
  type TokenProblem,
} from '../tokens/presented-token.js';
import { IntrospectionUnavailable, TokenInvalid } from './api.errors.js';
import { TOKEN_FACTS, type Caller } from './caller.js';
import { callerIn, IntrospectionRefused, InvalidAnswer } from './introspection-answer.js';
import { IntrospectionCache, type IntrospectionResult } from './introspection-cache.js';
import { INACTIVE, IntrospectionLog } from './introspection-log.js';

/** How long an active token is cached: a revoked one works for at most that long. */
const ACTIVE_TTL_MS = 60_000;

/** How long a refused token is cached: Zitadel may know a new token only after a moment. */
const REFUSED_TTL_MS = 10_000;

/** Cached results, of active and of refused tokens each. */
const MAX_CACHED = 10_000;

/** How long a caller waits for a connection to Zitadel before it gets 503. The connection is still made, for its next attempt. */
const CONNECTION_TIMEOUT_MS = 750;

/** That time is counted in intervals, each at least one turn of the event loop: a busy process needs several to make a connection. */
const TICKS = 10;

/** In-flight requests. Further callers get 503: they would not get an answer in time. */
const MAX_IN_FLIGHT = 1_000;

/** Failures in a row that open the circuit breaker… */
const FAILURES = 5;
/** …and how long it stays open, until it is half-open. */
const PAUSE_MS = 5_000;

/** Validates access tokens by introspection (RFC 7662), with a cache, one in-flight request per token, and a circuit breaker. */
@Injectable()
export class Introspection extends SetupProblems {
  private readonly log = new IntrospectionLog();
  private readonly assertion: ClientAssertion;
  private isKeyRefused = false;
  private endpoint: string | undefined;
  private readonly cache = new IntrospectionCache(MAX_CACHED);
  private readonly inFlight = new Map<string, Promise<IntrospectionResult>>();
  private readonly breaker = circuitBreaker(
    handleWhen(
      (error) =>
        !(error instanceof IntrospectionRefused && error.isAboutThisRequest) &&
        // Discovery respects the Retry-After of Zitadel by itself.
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
    this.breaker.onBreak((reason) =>
      this.log.paused('error' in reason ? reason.error : undefined, {
        failures: FAILURES,
        pauseMs: PAUSE_MS,
      }),
    );
    this.breaker.onReset(() => this.log.resumed());
  }

  get codes(): readonly string[] {
    return this.isKeyRefused ? ['api_key_refused'] : [];
  }

  /**
   * Returns the caller that a token belongs to, from the cache or by introspection.
   *
   * @throws `TokenInvalid`; `IntrospectionUnavailable` without an answer of Zitadel
   */
  async callerOf(token: string): Promise<Caller> {
    const key = keyOf(token);
    const cached = this.cache.get(key);
    if (!cached) return this.introspect(key, token);
    this.options.observer.introspectionCached?.(labelOf(cached));
    return this.activeCaller(cached);
  }

  /** As `callerOf`, always by introspection. The result replaces that in the cache. */
  async freshCallerOf(token: string): Promise<Caller> {
    return this.introspect(keyOf(token), token);
  }

  private async introspect(key: string, token: string): Promise<Caller> {
    const request = this.inFlight.get(key) ?? this.startRequest(key, token);
    let timer: NodeJS.Timeout | undefined;
    let ticks = 0;
    const shed = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (++ticks < TICKS) return;
        clearInterval(timer);
        const reason = this.reasonToShed();
        if (reason) reject(this.shedError(reason));
      }, CONNECTION_TIMEOUT_MS / TICKS);
    });
    let result: IntrospectionResult;
    try {
      result = await Promise.race([request, shed]);
    } catch (cause) {
      throw new IntrospectionUnavailable({ cause });
    } finally {
      clearInterval(timer);
    }
    return this.activeCaller(result);
  }

  /** Why callers should not wait any longer. The request goes on: its result is cached for their next attempt. */
  private reasonToShed(): string | undefined {
    if (!this.endpoint || !this.discovery.isConnectedTo(this.endpoint))
      return `no connection to Zitadel within ${CONNECTION_TIMEOUT_MS} ms`;
    if (this.breaker.state === CircuitState.HalfOpen)
      return `no answer to the probe of the half-open circuit breaker within ${CONNECTION_TIMEOUT_MS} ms`;
    return undefined;
  }

  private startRequest(key: string, token: string): Promise<IntrospectionResult> {
    if (this.inFlight.size >= MAX_IN_FLIGHT) {
      throw new IntrospectionUnavailable({
        cause: this.shedError(`${MAX_IN_FLIGHT} introspections are in flight`),
      });
    }
    const request = this.requestThroughBreaker(token)
      .then((result) => {
        this.cache.set(key, result);
        return result;
      })
      .finally(() => this.inFlight.delete(key));
    this.inFlight.set(key, request);
    return request;
  }

  private shedError(reason: string): Error {
    const error = new Error(reason);
    this.log.shed(error);
    return error;
  }

  private async requestThroughBreaker(token: string): Promise<IntrospectionResult> {
    try {
      const result = await this.breaker.execute(async () => this.resultOf(token, await this.request(token)));
      this.isKeyRefused = false;
      this.log.succeeded();
      this.options.observer.introspected?.(labelOf(result));
      return result;
    } catch (error) {
      this.options.observer.introspected?.('unavailable');
      if (error instanceof IntrospectionRefused) this.isKeyRefused = error.isKeyRefused;
      if (!(error instanceof BrokenCircuitError)) this.log.failed(error);
      throw error;
    }
  }

  private async request(token: string): Promise<unknown> {
    const { introspection_endpoint: endpoint } = await this.discovery.metadata();
    if (!endpoint) throw new InvalidAnswer('the metadata have no introspection_endpoint');
    this.endpoint = endpoint;
    const assertion = this.assertion.get();
    const form = new URLSearchParams({
      token,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await assertion,
    });
    const { status, headers, ...answer } = await this.post(endpoint, form);
    const body = isJson(headers) ? parsed(answer.text) : undefined;
    if (status === 200) return body;
    // The assertion may be the reason: the next request gets a new one.
    if (status === 400 || status === 401) this.assertion.invalidate(assertion);
    const date = headers.get('date') ?? undefined;
    throw new IntrospectionRefused(status, (body as { error?: unknown } | null | undefined)?.error, date);
  }

  private async post(endpoint: string, body: URLSearchParams) {
    const timeoutMs = this.options.introspectionTimeoutSeconds * 1000;
    const init = { method: 'POST', body, headers: { accept: 'application/json' } };
    const answer = await this.discovery.fetch(endpoint, init, { timeoutMs, isIdempotent: true });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  private resultOf(token: string, answer: unknown): IntrospectionResult {
    const { issuer, key, projectId, organizations, accepts, withUser } = this.options;
    const expected = { issuer, clientId: key.clientId, projectId, organizations, withUser, ...accepts };
    const caller = callerIn(answer, expected);
    const claims = answer as Record<string, unknown>;
    const now = Date.now();
    if ('refused' in caller) {
      this.log.refused(caller.refused);
      const problem = this.problemOf(token, caller.refused);
      return { refused: tokenFacts(token, claims, problem), expiresAt: now + REFUSED_TTL_MS };
    }
    this.log.accepted();
    const tokenExpiresAt = caller.expiresAt === undefined ? Infinity : caller.expiresAt * 1000;
    return {
      caller: Object.freeze({ ...caller, [TOKEN_FACTS]: tokenFacts(token, claims) }),
      expiresAt: Math.min(now + ACTIVE_TTL_MS, tokenExpiresAt),
    };
  }

  private problemOf(token: string, refused: string): TokenProblem {
    if (refused === INACTIVE)
      return inactiveBecause(localClaims(token), this.options.issuer) ?? otherwiseInactive;
    return { cause: refused, cure: cureFor(refused, this.options.projectId) };
  }

  private activeCaller({ caller, refused }: IntrospectionResult): Caller {
    if (caller) return caller;
    const { key, projectId } = this.options;
    throw new TokenInvalid({
      needed: { bearerToken: true, audience: [projectId ?? [], key.clientId].flat() },
      held: refused && presentedFacts(refused),
      help: sentence(refused?.problem?.cure),
    });
  }
}

const sentence = (words: string | null | undefined) =>
  words ? `${words.charAt(0).toUpperCase()}${words.slice(1)}.` : undefined;

const labelOf = ({ caller }: IntrospectionResult) => (caller ? 'active' : 'inactive');

const keyOf = (token: string) => hash('sha256', token, 'base64');

/** Not a signed response (RFC 9701), whose signature would have to be verified. */
const isJson = (headers: Headers) => /^application\/json *(;|$)/i.test(headers.get('content-type') ?? '');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
