import { describeError } from '@mridang/nestjs-auth';
import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Agent } from 'undici';
import { isPlainRemote } from '../http/is-plain-remote.js';
import type { ZitadelEndpoint } from '../zitadel.observer.js';
import { ZITADEL_CONNECTION, type ZitadelConnection } from '../zitadel.options.js';
import { AnswerTooLarge, boundedFetch } from '../http/bounded-fetch.js';
import { checkedMetadata, type CheckedMetadata } from './checked-metadata.js';
import { KeptValue } from '../http/kept-value.js';
import { IdpBusy, IdpMisbehaved, IdpMisconfigured, IdpUnavailable } from './oidc.errors.js';
import { retryAfterSeconds } from '../http/retry-after.js';
import { sentTwice } from '../http/sent-twice.js';
import { withoutEcho } from '../http/without-echo.js';

/** A hundred times what a user with a hundred roles needs. */
const MAX_ANSWER_BYTES = 1_000_000;

/** What does not get one waits: Zitadel is not to be flooded from here. */
const MAX_CONNECTIONS = 50;

const LIFETIME_MS = 60 * 60_000;
const RETRY_AFTER_MS = 10_000;
const MAX_STALE_MS = 24 * 60 * 60_000;

/** After so long without a call, whoever asks for the health of Zitadel begins one. */
const QUIET_MS = 30_000;

/** Whether Zitadel can be worked with. */
export type ProviderHealth =
  | { status: 'up' }
  /** calls fail, and what is known is still good */
  | { status: 'degraded'; since: Date }
  /** nobody can sign in: the metadata were never read, or are too old */
  | { status: 'down' };

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
  private lastCallAt = 0;
  private lastAnswerAt = 0;
  private unreachableSince: number | undefined;
  private readonly readers: (() => void)[] = [];
  /** what is at an address of the metadata */
  private endpoints: ReadonlyMap<string, ZitadelEndpoint> = new Map();

  /** where Zitadel has asked to be left alone */
  private readonly pauses = new Map<string, Pause>();

  /** open connections by origin */
  private readonly connections = new Map<string, number>();
  private readonly agent = new Agent({ connections: MAX_CONNECTIONS })
    .on('connect', (origin) => this.countConnection(origin, 1))
    .on('disconnect', (origin) => this.countConnection(origin, -1));

  constructor(@Inject(ZITADEL_CONNECTION) private readonly connection: ZitadelConnection) {}

  /** The first visitor is not to wait for the metadata. */
  onApplicationBootstrap() {
    void this.isKnown;
  }

  /** Whether there are metadata to work with. Where there are none, asking begins an attempt, unless one has just failed. */
  get isKnown(): boolean {
    return this.kept.current !== undefined;
  }

  isConnectedTo(address: string): boolean {
    return (this.connections.get(new URL(address).origin) ?? 0) > 0;
  }

  /** From the last calls. Where there was none for a while, asking begins one. */
  get health(): ProviderHealth {
    if (!this.isKnown) return { status: 'down' };
    if (Date.now() - this.lastCallAt > QUIET_MS) {
      this.lastCallAt = Date.now();
      this.fetch(this.address).catch(() => undefined);
    }
    return this.unreachableSince === undefined
      ? { status: 'up' }
      : { status: 'degraded', since: new Date(this.unreachableSince) };
  }

  /** When Zitadel last answered, milliseconds since 1970. */
  get answeredAt(): number {
    return this.lastAnswerAt;
  }

  /** Calls `reader` when the metadata are there, and whenever they are read again. */
  whenRead(reader: () => void) {
    this.readers.push(reader);
    if (this.isKnown) reader();
  }

  /** Throws `IdpUnavailable`, or `IdpMisconfigured` when they are not those of a Zitadel this application can use. */
  metadata(): Promise<CheckedMetadata> {
    return this.kept.get();
  }

  /**
   * `fetch` with limits, without redirects, without `http:` to other hosts and without echoed secrets. Throws `IdpUnavailable`,
   * also for an answer 5xx or 429.
   *
   * @param isRepeatable whether the request may be sent twice, where a GET or a revocation is not meant
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: RequestInit = {},
    { timeoutMs = this.connection.timeoutSeconds * 1000, isRepeatable = false } = {},
  ): Promise<Response> => {
    const url = addressOf(input);
    const bounds = { maxBytes: MAX_ANSWER_BYTES, dispatcher: this.agent };
    const signal = AbortSignal.timeout(timeoutMs);
    const send = () => boundedFetch(input, init, { signal, ...bounds });
    const mayRepeat = isRepeatable || this.isRepeatable(url, init);
    return withoutEcho(await this.answer(url, () => (mayRepeat ? sentTwice(send) : send())), init);
  };

  private async answer(url: URL, ask: () => Promise<Response>): Promise<Response> {
    if (isPlainRemote(url) && !this.connection.allowInsecureHttp) {
      throw new IdpMisconfigured({ cause: new TypeError('Nothing is sent to Zitadel without https') });
    }
    this.keepPause(url);
    this.lastCallAt = Date.now();
    const startedAt = performance.now();
    const note = (result: 'ok' | 'refused' | 'unavailable') =>
      this.connection.observer.requested?.(
        this.endpointAt(url.href),
        result,
        (performance.now() - startedAt) / 1000,
      );
    try {
      const answer = await ask();
      if (answer.status === 429 || answer.status >= 500) throw this.refused(url, answer);
      note(answer.status < 400 ? 'ok' : 'refused');
      this.unreachableSince = undefined;
      this.lastAnswerAt = Date.now();
      return answer;
    } catch (cause) {
      note('unavailable');
      this.unreachableSince ??= Date.now();
      if (cause instanceof IdpUnavailable) throw cause;
      throw cause instanceof AnswerTooLarge ? new IdpMisbehaved({ cause }) : new IdpUnavailable({ cause });
    }
  }

  /** What asks for patience gets it: nobody asks there again before. */
  private refused(url: URL, answer: Response): IdpUnavailable {
    const isBusy = answer.status === 429;
    const seconds = retryAfterSeconds(answer);
    if (seconds !== undefined) this.pauses.set(placeOf(url), { until: Date.now() + seconds * 1000, isBusy });
    return unavailable(isBusy, `Zitadel answered ${answer.status}`, seconds);
  }

  private keepPause(url: URL) {
    const { until, isBusy } = this.pauses.get(placeOf(url)) ?? { until: 0, isBusy: false };
    const remainingMs = until - Date.now();
    if (remainingMs > 0)
      throw unavailable(isBusy, 'Zitadel has asked to be left alone', Math.ceil(remainingMs / 1000));
  }

  /** What reads, and what has no second effect (RFC 7009 2.2). A code or a refresh token is used up by whoever gets it first. */
  private isRepeatable({ href }: URL, { method = 'GET', body }: RequestInit): boolean {
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
      this.hasNoted = false;
      // They ask for the value, which is there in the next turn.
      setImmediate(() => this.readers.forEach((reader) => reader()));
      return metadata;
    } catch (cause) {
      throw new IdpMisconfigured({ cause });
    }
  }

  private get address(): string {
    return `${this.connection.issuer}/.well-known/openid-configuration`;
  }

  /** Once, until they can be read again: attempts go on. */
  private noteFailure(error: unknown) {
    const effect = this.isKnown ? 'Those read before are used' : 'Nobody can sign in until they are';
    const hint = isPlainAnswer(error)
      ? `\nThe port answers without TLS: is it ${this.connection.issuer.replace('https:', 'http:')}?`
      : '';
    this.logger[this.hasNoted ? 'debug' : 'warn'](
      `The metadata of Zitadel cannot be read. ${effect}\n${describeError(error)}${hint}`,
    );
    this.hasNoted = true;
  }
}

/** Why an answer other than 200 came, as far as Zitadel's text says it. */
async function missingMetadata(answer: Response, address: string): Promise<string> {
  const domain = /ExternalDomain is ([\w.:-]+)/.exec(await answer.text())?.[1];
  return domain === undefined
    ? `Zitadel has no metadata: it answered ${answer.status}`
    : `Zitadel does not answer for ${new URL(address).host}, but for ${domain}`;
}

/** OpenSSL's errors for an answer that is no TLS, whichever of them it is. */
function isPlainAnswer(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/.test(String(code)) || isPlainAnswer(cause);
}

interface Pause {
  /** milliseconds since 1970 */
  until: number;
  /** it was asked for with 429 */
  isBusy: boolean;
}

function unavailable(isBusy: boolean, reason: string, seconds: number | undefined): IdpUnavailable {
  const options = { cause: new Error(reason), retryAfterSeconds: seconds };
  return isBusy ? new IdpBusy(options) : new IdpUnavailable(options);
}

const placeOf = ({ origin, pathname }: URL) => origin + pathname;

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
