import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Agent } from 'undici';
import { isPlainRemote } from '../http/is-plain-remote.js';
import type { ZitadelEndpoint } from '../zitadel.observer.js';
import { ZITADEL_CONNECTION, type ZitadelConnection } from '../zitadel.options.js';
import { AnswerTooLarge, boundedFetch } from '../http/bounded-fetch.js';
import { checkedMetadata, type CheckedMetadata } from './checked-metadata.js';
import { StaleWhileRevalidate } from '../http/stale-while-revalidate.js';
import { IdpBusy, IdpMisbehaved, IdpMisconfigured, IdpUnavailable } from './oidc.errors.js';
import { retryAfterSeconds, sendWithRetry } from '../http/send-with-retry.js';
import { withoutEcho } from '../http/without-echo.js';

/** A hundred times the size of a response about a user with a hundred roles. */
const MAX_ANSWER_BYTES = 1_000_000;

/** Further requests wait for a connection, so that this program cannot overload Zitadel. */
const MAX_CONNECTIONS = 50;

const METADATA_MAX_AGE_MS = 60 * 60_000;
const RETRY_AFTER_MS = 10_000;
const MAX_STALE_MS = 24 * 60 * 60_000;

/** `health` sends a request when the last one is older than this. */
const HEALTH_MAX_AGE_MS = 30_000;

/** The availability of Zitadel. */
export type ProviderHealth =
  | { status: 'up' }
  /** requests fail, and the cached metadata are used */
  | { status: 'degraded'; since: Date }
  /** nobody can sign in: no metadata were read, or they are too old */
  | { status: 'down' };

/** Caches the metadata of Zitadel, and sends every request to it. */
@Injectable()
export class Discovery implements OnApplicationBootstrap {
  private readonly logger = new Logger('Discovery');
  private readonly cache = new StaleWhileRevalidate<CheckedMetadata>(() => this.discover(), {
    maxAgeMs: METADATA_MAX_AGE_MS,
    retryAfterMs: RETRY_AFTER_MS,
    maxStaleMs: MAX_STALE_MS,
    onError: (error) => this.logFailure(error),
  });
  private isFailureLogged = false;
  private lastCallAt = 0;
  private lastAnswerAt = 0;
  private unreachableSince: number | undefined;
  private readonly listeners: (() => void)[] = [];
  /** by their address in the metadata */
  private endpoints: ReadonlyMap<string, ZitadelEndpoint> = new Map();

  /** `Retry-After` of Zitadel, by origin and path */
  private readonly pauses = new Map<string, Pause>();

  /** open connections by origin */
  private readonly connections = new Map<string, number>();
  private readonly agent = new Agent({ connections: MAX_CONNECTIONS })
    .on('connect', (origin) => this.countConnection(origin, 1))
    .on('disconnect', (origin) => this.countConnection(origin, -1));

  constructor(@Inject(ZITADEL_CONNECTION) private readonly connection: ZitadelConnection) {}

  /** Fetches the metadata at start, so that the first sign-in does not wait for them. */
  onApplicationBootstrap() {
    void this.isKnown;
  }

  /** Whether there are usable metadata. Fetches missing ones in the background, with a pause after a failure. */
  get isKnown(): boolean {
    return this.cache.current !== undefined;
  }

  isConnectedTo(address: string): boolean {
    return (this.connections.get(new URL(address).origin) ?? 0) > 0;
  }

  /** The result of the last requests. Sends one when the last is older than 30 seconds. */
  get health(): ProviderHealth {
    if (!this.isKnown) return { status: 'down' };
    if (Date.now() - this.lastCallAt > HEALTH_MAX_AGE_MS) {
      this.lastCallAt = Date.now();
      this.fetch(this.address).catch(() => undefined);
    }
    return this.unreachableSince === undefined
      ? { status: 'up' }
      : { status: 'degraded', since: new Date(this.unreachableSince) };
  }

  /** When Zitadel last responded, milliseconds since 1970. */
  get answeredAt(): number {
    return this.lastAnswerAt;
  }

  /** Calls `listener` when the metadata are there, and each time they were fetched. */
  onMetadata(listener: () => void) {
    this.listeners.push(listener);
    if (this.isKnown) listener();
  }

  /** @throws `IdpUnavailable`; `IdpMisconfigured` when the metadata are not those of the configured issuer, or lack an endpoint */
  metadata(): Promise<CheckedMetadata> {
    return this.cache.get();
  }

  /**
   * `fetch` with limits of time and size, without redirects, without `http:` to other hosts, and with secrets removed from error responses.
   *
   * @param isIdempotent whether the request may be sent twice. GET requests and revocations are in any case
   * @throws `IdpUnavailable` without a response, and for 429 and 5xx; `IdpMisbehaved` for a response that is too large; `IdpMisconfigured`
   *   for an address without https
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
    { timeoutMs = this.connection.timeoutSeconds * 1000, isIdempotent = false } = {},
  ): Promise<Response> => {
    const url = addressOf(input);
    const bounds = { maxBytes: MAX_ANSWER_BYTES, dispatcher: this.agent };
    const signal = AbortSignal.timeout(timeoutMs);
    const send = () => boundedFetch(input, init, { signal, ...bounds });
    const mayRetry = isIdempotent || this.isIdempotent(url, init);
    return withoutEcho(await this.measure(url, () => (mayRetry ? sendWithRetry(send) : send())), init);
  };

  private async measure(url: URL, send: () => Promise<Response>): Promise<Response> {
    if (isPlainRemote(url) && !this.connection.allowInsecureHttp) {
      throw new IdpMisconfigured({
        cause: new TypeError('Requests to Zitadel need https, or the option allowInsecureHttp'),
      });
    }
    this.checkPause(url);
    this.lastCallAt = Date.now();
    const startedAt = performance.now();
    const report = (result: 'ok' | 'refused' | 'unavailable') =>
      this.connection.observer.requested?.(
        this.endpointAt(url.href),
        result,
        (performance.now() - startedAt) / 1000,
      );
    try {
      const answer = await send();
      if (answer.status === 429 || answer.status >= 500) throw this.unavailable(url, answer);
      report(answer.status < 400 ? 'ok' : 'refused');
      this.unreachableSince = undefined;
      this.lastAnswerAt = Date.now();
      return answer;
    } catch (cause) {
      report('unavailable');
      this.unreachableSince ??= Date.now();
      if (cause instanceof IdpUnavailable) throw cause;
      throw cause instanceof AnswerTooLarge ? new IdpMisbehaved({ cause }) : new IdpUnavailable({ cause });
    }
  }

  /** Stores the `Retry-After` of a response: no request is sent to that address before. */
  private unavailable(url: URL, answer: Response): IdpUnavailable {
    const isBusy = answer.status === 429;
    const seconds = retryAfterSeconds(answer);
    if (seconds !== undefined) this.pauses.set(pauseKey(url), { until: Date.now() + seconds * 1000, isBusy });
    return unavailableError(isBusy, `Zitadel answered ${answer.status}`, seconds);
  }

  /** @throws `IdpUnavailable` before the time that `Retry-After` has named */
  private checkPause(url: URL) {
    const { until, isBusy } = this.pauses.get(pauseKey(url)) ?? { until: 0, isBusy: false };
    const remainingMs = until - Date.now();
    if (remainingMs > 0)
      throw unavailableError(
        isBusy,
        'No request was sent: the Retry-After of Zitadel has not passed',
        Math.ceil(remainingMs / 1000),
      );
  }

  /** GET requests, and revocations (RFC 7009 2.2). A code or a refresh token can be used only once. */
  private isIdempotent({ href }: URL, { method = 'GET', body }: RequestInit): boolean {
    return (method === 'GET' && !body) || this.endpointAt(href) === 'revoke';
  }

  private countConnection({ origin }: URL, change: 1 | -1) {
    this.connections.set(origin, (this.connections.get(origin) ?? 0) + change);
  }

  private endpointAt(address: string): ZitadelEndpoint {
    if (address.endsWith('/.well-known/openid-configuration')) return 'discovery';
    return this.endpoints.get(address) ?? 'other';
  }

  private async discover(): Promise<CheckedMetadata> {
    const answer = await this.fetch(this.address, { headers: { accept: 'application/json' } });
    try {
      if (answer.status !== 200) throw new TypeError(await missingMetadata(answer, this.address));
      const metadata = checkedMetadata(await answer.json(), this.connection);
      this.endpoints = endpointsOf(metadata);
      this.isFailureLogged = false;
      // The cache has the metadata only in the next turn of the event loop.
      setImmediate(() => this.listeners.forEach((listener) => listener()));
      return metadata;
    } catch (cause) {
      throw new IdpMisconfigured({ cause });
    }
  }

  private get address(): string {
    return `${this.connection.issuer}/.well-known/openid-configuration`;
  }

  /** Logs a failure once until a fetch succeeds; further ones on level `debug`. */
  private logFailure(error: unknown) {
    const effect = this.isKnown ? 'The cached ones are used' : 'Nobody can sign in until they can be read';
    const hint = isPlainAnswer(error)
      ? `\nThe port answers without TLS: check whether the address is ${this.connection.issuer.replace('https:', 'http:')}`
      : '';
    this.logger[this.isFailureLogged ? 'debug' : 'warn'](
      `Could not read the metadata of Zitadel (ZITADEL_DOMAIN): next attempt in ${RETRY_AFTER_MS / 1000} s. ${effect}\n${describeError(error)}${hint}`,
    );
    this.isFailureLogged = true;
  }
}

/** Describes a response other than 200; Zitadel names the domain it is configured for. */
async function missingMetadata(answer: Response, address: string): Promise<string> {
  const domain = /ExternalDomain is ([\w.:-]+)/.exec(await answer.text())?.[1];
  return domain === undefined
    ? `Zitadel answered ${answer.status} to the request for its metadata`
    : `Zitadel is configured for the domain ${domain}, not for ${new URL(address).host}`;
}

/** OpenSSL reports a response without TLS with one of these codes. */
function isPlainAnswer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(String(code)) || isPlainAnswer(cause);
}

interface Pause {
  /** milliseconds since 1970 */
  until: number;
  /** whether the status was 429 */
  isBusy: boolean;
}

function unavailableError(isBusy: boolean, reason: string, seconds: number | undefined): IdpUnavailable {
  const options = { cause: new Error(reason), retryAfterSeconds: seconds };
  return isBusy ? new IdpBusy(options) : new IdpUnavailable(options);
}

const pauseKey = ({ origin, pathname }: URL) => origin + pathname;

function endpointsOf(metadata: CheckedMetadata): ReadonlyMap<string, ZitadelEndpoint> {
  const named: [string | undefined, ZitadelEndpoint][] = [
    [metadata.token_endpoint, 'token'],
    [metadata.userinfo_endpoint, 'userinfo'],
    [metadata.jwks_uri, 'keys'],
    [metadata.revocation_endpoint, 'revoke'],
    [metadata.introspection_endpoint, 'introspect'],
  ];
  return new Map(named.flatMap(([url, kind]) => (url ? [[new URL(url).href, kind]] : [])));
}

const addressOf = (input: string | URL | Request) => new URL(input instanceof Request ? input.url : input);
