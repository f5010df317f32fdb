import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { isPlainRemote } from '../config/is-plain-remote.js';
import { ENV, type Env } from '../config/env.js';
import { Metrics } from '../metrics/metrics.js';
import { AnswerTooLarge, boundedFetch } from './bounded-fetch.js';
import { BoundedPost, type TextAnswer } from './bounded-post.js';
import { checkedMetadata, type CheckedMetadata } from './checked-metadata.js';
import { KeptValue } from './kept-value.js';
import { IdpMisbehaved, IdpMisconfigured, IdpUnavailable } from './oidc.errors.js';
import { sentTwice } from './sent-twice.js';
import { withoutEcho } from './without-echo.js';

/** Longest wait for an answer of Zitadel, unless the caller says otherwise. */
const TIMEOUT_MS = 5_000;

/** A hundred times what a user with a hundred roles needs. */
const MAX_ANSWER_BYTES = 1_000_000;

/** What does not get one waits: Zitadel is not to be flooded from here. */
const MAX_CONNECTIONS = 50;

const LIFETIME_MS = 60 * 60_000;
const RETRY_AFTER_MS = 10_000;
const MAX_STALE_MS = 24 * 60 * 60_000;

/** Zitadel's metadata, and the one way to call it. */
@Injectable()
export class Discovery implements OnApplicationBootstrap {
  private readonly logger = new Logger('Discovery');
  private readonly kept = new KeptValue<CheckedMetadata>(() => this.discover(), {
    lifetimeMs: LIFETIME_MS,
    retryAfterMs: RETRY_AFTER_MS,
    maxStaleMs: MAX_STALE_MS,
    onRenewalFailed: (error) => this.noteFailure(error),
  });
  private hasNoted = false;
  /** what is at an address of the metadata */
  private endpoints: ReadonlyMap<string, Endpoint> = new Map();

  private readonly poster = new BoundedPost({
    maxBytes: MAX_ANSWER_BYTES,
    connections: MAX_CONNECTIONS,
  });

  constructor(
    @Inject(ENV)
    private readonly env: { zitadel: Pick<Env['zitadel'], 'issuer' | 'allowInsecureHttp'> },
    private readonly metrics: Metrics,
  ) {}

  /** The first visitor is not to wait for the metadata. */
  onApplicationBootstrap() {
    void this.isKnown;
  }

  /** Whether there are metadata to work with. Where there are none, asking begins an attempt, unless one has just failed. */
  get isKnown(): boolean {
    return this.kept.current !== undefined;
  }

  /** Throws `IdpUnavailable`, or `IdpMisconfigured` when they are not those of a Zitadel this application can use. */
  metadata(): Promise<CheckedMetadata> {
    return this.kept.get();
  }

  /** `fetch` with bounds, no redirects, no plain http and no echo. Throws `IdpUnavailable`, for an answer 5xx, too. */
  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const url = addressOf(input);
    const send = () => boundedFetch(input, init, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES });
    const answer = await this.answer(url, () => (this.isRepeatable(url, init) ? sentTwice(send) : send()));
    return withoutEcho(answer, init);
  };

  /** As `fetch`, for a form that may be sent twice, where every microsecond counts. */
  async post(url: string, form: URLSearchParams, timeoutMs: number): Promise<TextAnswer> {
    const answer = await this.answer(new URL(url), () =>
      sentTwice(() => this.poster.send(url, form, timeoutMs)),
    );
    if (answer.status < 400) return answer;
    const { status, text } = answer;
    const redacted = await withoutEcho(new Response(text, { status }), { body: form });
    return { ...answer, text: await redacted.text() };
  }

  private async answer<Answer extends { status: number }>(
    url: URL,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    if (isPlainRemote(url) && !this.env.zitadel.allowInsecureHttp) {
      throw new IdpMisconfigured({ cause: new TypeError('Nothing is sent to Zitadel without https') });
    }
    const startedAt = performance.now();
    const note = (result: 'ok' | 'refused' | 'unavailable') =>
      this.metrics.zitadelSeconds.observe(
        { endpoint: this.endpointAt(url.href), result },
        (performance.now() - startedAt) / 1000,
      );
    try {
      const answer = await ask();
      if (answer.status >= 500) throw new Error(`Zitadel answered ${answer.status}`);
      note(answer.status < 400 ? 'ok' : 'refused');
      return answer;
    } catch (cause) {
      note('unavailable');
      throw cause instanceof AnswerTooLarge ? new IdpMisbehaved({ cause }) : new IdpUnavailable({ cause });
    }
  }

  /** What reads, and what has no second effect (RFC 7009 2.2). A code or a refresh token is used up by whoever gets it first. */
  private isRepeatable({ href }: URL, { method = 'GET', body }: RequestInit): boolean {
    return (method === 'GET' && !body) || this.endpointAt(href) === 'revoke';
  }

  private endpointAt(address: string): Endpoint {
    if (address.endsWith('/.well-known/openid-configuration')) return 'discovery';
    return this.endpoints.get(address) ?? 'other';
  }

  private async discover(): Promise<CheckedMetadata> {
    const { issuer } = this.env.zitadel;
    const answer = await this.fetch(`${issuer}/.well-known/openid-configuration`, {
      headers: { accept: 'application/json' },
    });
    try {
      if (answer.status !== 200) throw new TypeError(`Zitadel has no metadata: it answered ${answer.status}`);
      const metadata = checkedMetadata(await answer.json(), this.env.zitadel);
      this.endpoints = endpointsOf(metadata);
      this.hasNoted = false;
      return metadata;
    } catch (cause) {
      throw new IdpMisconfigured({ cause });
    }
  }

  /** Once, until they can be read again: attempts go on. */
  private noteFailure(error: unknown) {
    this.logger[this.hasNoted ? 'debug' : 'warn'](
      `The metadata of Zitadel cannot be read. Those that are known stay\n${describeError(error)}`,
    );
    this.hasNoted = true;
  }
}

type Endpoint = 'discovery' | 'token' | 'userinfo' | 'keys' | 'revoke' | 'introspect' | 'other';

function endpointsOf(metadata: CheckedMetadata): ReadonlyMap<string, Endpoint> {
  const named: [string | undefined, Endpoint][] = [
    [metadata.token_endpoint, 'token'],
    [metadata.userinfo_endpoint, 'userinfo'],
    [metadata.jwks_uri, 'keys'],
    [metadata.revocation_endpoint, 'revoke'],
    [metadata.introspection_endpoint, 'introspect'],
  ];
  return new Map(named.flatMap(([url, kind]) => (url ? [[new URL(url).href, kind]] : [])));
}

const addressOf = (input: string | URL | Request) => new URL(input instanceof Request ? input.url : input);
