import { hash } from 'node:crypto';
import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { circuitBreaker, ConsecutiveBreaker, handleAll } from 'cockatiel';
import { LRUCache } from 'lru-cache';
import { API_ENV, type ApiEnv } from '../config/api-env.js';
import { ClientAssertion } from '../zitadel/client-assertion.js';
import { Discovery } from '../zitadel/discovery.js';
import { IntrospectionUnavailable, TokenInvalid } from './api.errors.js';
import type { Caller } from './caller.js';
import { AnswerUnusable, introspected } from './introspected.js';

/** Longest time a revoked token goes on working. */
const ACCEPTED_MS = 60_000;

/** A token that is refused may be one that Zitadel does not know yet. */
const REJECTED_MS = 10_000;

const MAX_KNOWN = 10_000;

/** Longest time a caller waits. The answer may still come, and is there when the caller tries again. */
const PATIENCE_MS = 750;

/** After so many failures in a row Zitadel is left alone… */
const FAILURES = 5;
/** …for so long. */
const PAUSE_MS = 5_000;

interface Verdict {
  caller?: Caller;
  until: number;
}

/** Asks Zitadel about access tokens (RFC 7662), and no more often than it has to. */
@Injectable()
export class Introspection {
  private readonly logger = new Logger('Introspection');
  private readonly assertion: ClientAssertion;
  private readonly known = new LRUCache<string, Verdict>({ max: MAX_KNOWN });
  private readonly flights = new Map<string, Promise<Verdict>>();
  private readonly breaker = circuitBreaker(handleAll, {
    halfOpenAfter: PAUSE_MS,
    breaker: new ConsecutiveBreaker(FAILURES),
  });

  constructor(
    @Inject(API_ENV) private readonly env: ApiEnv,
    private readonly discovery: Discovery,
  ) {
    this.assertion = new ClientAssertion(env.key, env.zitadel.issuer);
  }

  /**
   * Whose token it is: at once where that is known. Throws `TokenInvalid`, or `IntrospectionUnavailable` when Zitadel does
   * not say.
   */
  callerOf(token: string): Caller | Promise<Caller> {
    const key = keyOf(token);
    const known = this.known.get(key);
    if (known && known.until > Date.now()) return accepted(known);
    const flight = this.flights.get(key) ?? this.start(key, token);
    return this.patiently(flight);
  }

  /** As `callerOf`, and asks Zitadel in any case. `callerOf` knows the answer from then on. */
  callerNow(token: string): Promise<Caller> {
    return this.patiently(this.start(keyOf(token), token));
  }

  private start(key: string, token: string): Promise<Verdict> {
    const isLatest = () => this.flights.get(key) === flight;
    const flight = this.ask(token)
      .then((verdict) => {
        if (isLatest()) this.known.set(key, verdict);
        return verdict;
      })
      .finally(() => isLatest() && this.flights.delete(key));
    this.flights.set(key, flight);
    return flight;
  }

  private async patiently(flight: Promise<Verdict>): Promise<Caller> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`No answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    });
    let verdict: Verdict;
    try {
      verdict = await Promise.race([flight, late]);
    } catch (cause) {
      // The flight may fail after everybody has left.
      flight.catch(() => undefined);
      throw new IntrospectionUnavailable({ cause });
    } finally {
      clearTimeout(timer);
    }
    return accepted(verdict);
  }

  private async ask(token: string): Promise<Verdict> {
    return this.breaker.execute(async () => {
      try {
        return this.verdictOn(await this.answerAbout(token));
      } catch (error) {
        this.logger.error(`A token could not be checked\n${describeError(error)}`);
        throw error;
      }
    });
  }

  private async answerAbout(token: string): Promise<unknown> {
    const { introspection_endpoint: endpoint } = await this.discovery.metadata();
    if (!endpoint) throw new AnswerUnusable('the metadata name no introspection endpoint');
    const { status, contentType, text } = await this.discovery.post(
      endpoint,
      new URLSearchParams({
        token,
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: await this.assertion.get(),
      }),
    );
    const body = isJson(contentType) ? parsed(text) : undefined;
    if (status !== 200) {
      const { error } = (body ?? {}) as { error?: unknown };
      throw new AnswerUnusable(`status ${status} ${JSON.stringify(error) ?? ''}`.trim());
    }
    return body;
  }

  private verdictOn(answer: unknown): Verdict {
    const { issuer } = this.env.zitadel;
    const { key, projectId } = this.env;
    const result = introspected(answer, { issuer, clientId: key.clientId, projectId });
    const now = Date.now();
    if ('rejected' in result) {
      this.logger.debug(`A token was refused: it is ${result.rejected}`);
      return { until: now + REJECTED_MS };
    }
    const ends = result.expiresAt === undefined ? Infinity : result.expiresAt * 1000;
    return { caller: result, until: Math.min(now + ACCEPTED_MS, ends) };
  }
}

const keyOf = (token: string) => hash('sha256', token, 'base64');

/** A signed answer (RFC 9701) has a type of its own; nobody here asks for one or checks its signature. */
const isJson = (contentType: string) => /^application\/json *(;|$)/.test(contentType);

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
