import type { Server } from 'node:http';
import { isDeepStrictEqual } from 'node:util';
import type { INestApplication } from '@nestjs/common';
import type { Test } from 'supertest';
import type TestAgent from 'supertest/lib/agent.js';
import type { SessionToken } from '../auth.types.js';
import type { ResolvedAuthOptions } from '../resolved-auth-options.js';
import { cookiesOf } from '../session/session-cookie.js';

/** The application as `Test.createTestingModule()` or `NestFactory` makes it, after `init()`. */
export type TestedApplication = Pick<INestApplication, 'get' | 'getHttpServer'>;

/** A session of a user who has signed in, without a browser and a provider. */
export class TestSession {
  /** The header `Cookie` of a request with this session. */
  readonly cookie: string;
  private readonly cookies: [name: string, value: string][];

  constructor(
    private readonly app: TestedApplication,
    private readonly options: ResolvedAuthOptions,
    /** Content of the session cookie, tokens included. */
    readonly token: SessionToken,
    private readonly expiredContent: () => Promise<SessionToken>,
  ) {
    const { value } = options.seal(token);
    this.cookies = [...cookiesOf(options.sessionCookie.name, value)];
    this.cookie = headerOf(this.cookies);
  }

  /** Returns an agent of supertest, which has to be installed, that sends the cookie and takes over renewed ones. */
  async agent(): Promise<TestAgent> {
    const { default: supertest } = await import('supertest');
    // The agent itself would keep `Secure` cookies, which an https origin means, from its requests over http.
    const cookies = new Map(this.cookies);
    return supertest.agent(this.app.getHttpServer() as Server).use((request: Test) => {
      request.set('cookie', headerOf(cookies));
      request.on('response', ({ headers }: { headers: Record<string, unknown> }) => {
        for (const line of [headers['set-cookie'] ?? []].flat() as string[]) {
          const [, name = '', value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          if (value) cookies.set(name, value);
          else cookies.delete(name);
        }
      });
    });
  }

  /** Returns the session as it is after `session.maxLifetime`: whoever sends its cookie is signed out. */
  expired(): TestSession {
    const start = Date.now() / 1000 - this.options.maxLifetimeSeconds - 1;
    return new TestSession(this.app, this.options, { ...this.token, start }, this.expiredContent);
  }

  /**
   * Returns the session as it is when its access token has expired: the next request refreshes it, as `replaceRefresh()` says.
   *
   * @throws when the session holds no tokens
   */
  async withExpiredTokens(): Promise<TestSession> {
    const { jti, start, iat, exp } = this.token;
    const content = { ...(await this.expiredContent()), jti, start } as SessionToken;
    if (isDeepStrictEqual({ ...content, iat, exp }, { ...this.token }))
      throw new Error('withExpiredTokens: the session holds no tokens');
    return new TestSession(this.app, this.options, content, this.expiredContent);
  }
}

const headerOf = (cookies: Iterable<[name: string, value: string]>) =>
  [...cookies].map((pair) => pair.join('=')).join('; ');
