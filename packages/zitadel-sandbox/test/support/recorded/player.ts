import { answerDifferences } from './answer-comparison.js';
import type { BackChannelReceiver } from './back-channel-receiver.js';
import type { Sandbox } from '../../../src/index.js';
import { call, type HttpAnswer, type HttpCall } from './http-call.js';
import { LiveClient, type LiveValues } from './live-values.js';
import { namesOf, type Names } from './names.js';
import type { Exchange, RecordedRequest } from './recording.js';
import { RequestMaker } from './request.js';
import { stepBefore, type Earlier } from './steps.js';

/** Whether a request needs a sign-in first, or is signed. */
export function isAboutTokens(request: RecordedRequest): boolean {
  return /JWE|JWT|\$jwt|device_code:|Cookie/.test(JSON.stringify(request));
}

/** Replays recorded exchanges against one sandbox in their order and reports differences. */
export class Player {
  private readonly live: LiveClient;
  private readonly names: Names;
  private readonly requests: RequestMaker;
  private readonly values = new Map<string, Promise<LiveValues>>();
  private readonly answers = new Map<string, HttpAnswer>();

  constructor(
    private readonly sandbox: Sandbox,
    private readonly receiver: BackChannelReceiver,
  ) {
    this.live = new LiveClient(sandbox);
    this.names = namesOf(sandbox);
    this.requests = new RequestMaker(sandbox, this.names);
  }

  /** The differences of one exchange, one line each. */
  async differences(exchange: Exchange): Promise<string[]> {
    const { file, request } = exchange;
    if (file === 'back-channel-logout') return this.receiver.differences(exchange, this.live, this.names);
    if (!request) return ['no request was recorded'];
    try {
      return await this.played({ ...exchange, request });
    } catch (error) {
      return [String(error)];
    } finally {
      if (exchange.name.includes('user deactivated'))
        this.sandbox.setUserActive('carol@globex.example', true);
    }
  }

  private async played(exchange: Exchange & { request: RecordedRequest }): Promise<string[]> {
    const isLogin = exchange.request.path === '(login)';
    const { sent, answer } = isLogin ? await this.login(exchange) : await this.sent(exchange);
    this.answers.set(`${exchange.file}/${exchange.name}`, answer);
    return answerDifferences(exchange, sent, answer, this.names);
  }

  private async sent(
    exchange: Exchange & { request: RecordedRequest },
  ): Promise<{ sent: HttpCall; answer: HttpAnswer }> {
    const name = `${exchange.file}/${exchange.name}`;
    const values = isAboutTokens(exchange.request)
      ? await stepBefore(name)(this.live, this.earlierThan(exchange))
      : {};
    const sent = await this.requests.make(exchange, values);
    return { sent, answer: await call(sent) };
  }

  private earlierThan({ file }: Exchange): Earlier {
    return {
      shared: (key, make) => {
        const known = this.values.get(key) ?? make();
        this.values.set(key, known);
        return known;
      },
      answered: (name) => JSON.parse(this.answers.get(`${file}/${name}`)?.body ?? '{}') as LiveValues,
    };
  }

  /** From the authorization request to the last response of the login. */
  private async login(
    exchange: Exchange & { request: RecordedRequest },
  ): Promise<{ sent: HttpCall; answer: HttpAnswer }> {
    const sent: HttpCall = { method: 'GET', url: new URL(this.sandbox.issuer), headers: {} };
    const { name, request } = exchange;
    const query = request.query
      ? Object.fromEntries(await this.requests.fields(request.query, exchange, {}))
      : this.loginNotRecorded(name);
    if (query['prompt'] === 'none') return { sent, answer: await this.silentLogin(query, name) };
    const form = name.includes('cancelled') ? { cancel: 'true' } : {};
    const { answer } = await this.live.signIn(query, 'alice@acme.example', form);
    return { sent, answer };
  }

  // the request is not in the recording; its name and its response determine it
  private loginNotRecorded(name: string): Record<string, string | undefined> {
    if (name.includes('without a session'))
      return this.live.authorizationRequest('second', { prompt: 'none' });
    if (name.includes('cancelled')) return this.live.authorizationRequest('web');
    return this.live.authorizationRequest('implicit', {
      response_type: name.replace('callback: implicit ', ''),
    });
  }

  private async silentLogin(query: Record<string, string | undefined>, name: string): Promise<HttpAnswer> {
    const { cookie = '' } = name.includes('with a session') ? await this.live.tokens({ app: 'second' }) : {};
    const headers: Record<string, string> = cookie ? { Cookie: cookie } : {};
    const started = await this.live.get('/oauth/v2/authorize', query, headers);
    const { pathname, searchParams } = new URL(String(started.headers['location']), this.sandbox.issuer);
    const answer = await this.live.get(pathname, Object.fromEntries(searchParams), headers);
    const callback = new URL(String(answer.headers['location']), this.sandbox.issuer);
    // Login V1 redirects to the protocol endpoints
    if (callback.origin !== this.sandbox.issuer) return answer;
    return this.live.get(callback.pathname, Object.fromEntries(callback.searchParams), headers);
  }
}
