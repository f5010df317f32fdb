import 'reflect-metadata';
import type { INestApplication, ModuleMetadata } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import supertest from 'supertest';
import { clientId } from '../../../../test/support/hostile-provider.js';
import {
  AuthModule,
  type AuthModuleConfig,
  type IAuthModuleOptions,
  type SessionToken,
} from '../../src/index.js';
import { cookiesOf } from '../../src/session/session-cookie.js';
import { ResolvedAuthOptions } from '../../src/resolved-auth-options.js';
import { loginAs, type TestClaims } from '../../src/testing/index.js';

export const secret = 'a secret for the tests that is long enough';

/** The minimal options of an application. */
export const options: IAuthModuleOptions = {
  origin: 'http://localhost:3000',
  secret,
  providers: [
    {
      id: 'idp',
      name: 'Provider',
      type: 'oidc',
      issuer: 'http://localhost:9',
      clientId: 'client',
      clientSecret: 'x',
    },
  ],
};

/** Headers of a program, which is not sent to the sign-in page. */
export const program = { 'sec-fetch-mode': 'cors' };

/** The client without a secret of a provider in these tests. */
export const publicClientOf = ({ issuer }: { issuer: string }): IAuthModuleOptions['providers'][number] => ({
  id: 'idp',
  name: 'Provider',
  type: 'oidc',
  issuer,
  clientId,
  client: { token_endpoint_auth_method: 'none' },
});

interface TinyAppOptions extends Pick<ModuleMetadata, 'controllers' | 'imports' | 'providers'> {
  auth?: Partial<IAuthModuleOptions>;
  config?: AuthModuleConfig;
  prefix?: string;
  /** routes without the prefix */
  exclude?: string[];
  log?: string[];
  /** runs before the start, as in `main.ts` */
  setup?: (nest: INestApplication) => void;
  /** default: Express */
  adapter?: AbstractHttpAdapter;
}

/** A small application with the module. */
export class TinyApp {
  private constructor(readonly nest: INestApplication) {}

  static async start({
    auth,
    config,
    prefix,
    exclude,
    imports,
    log,
    setup,
    adapter = new ExpressAdapter(),
    ...metadata
  }: TinyAppOptions): Promise<TinyApp> {
    const record = (message: unknown) => void log?.push(String(message));
    const logger = { log: record, warn: record, error: record, fatal: record };
    const module = await Test.createTestingModule({
      imports: imports ?? [AuthModule.register({ ...options, ...auth }, config)],
      ...metadata,
    })
      .setLogger(logger)
      .compile();
    const nest = module.createNestApplication(adapter, { logger });
    setup?.(nest);
    if (prefix) nest.setGlobalPrefix(prefix, { exclude: exclude ?? [] });
    await nest.init();
    // Fastify handles requests after it has loaded its plugins.
    await (nest.getHttpAdapter().getInstance() as { ready?: () => Promise<unknown> }).ready?.();
    return new TinyApp(nest);
  }

  get resolved() {
    return this.nest.get(ResolvedAuthOptions);
  }

  /** A `Cookie` header with a session that has this content. */
  cookie(token: SessionToken = { sub: 'u1', name: 'User' }): string {
    return this.header(this.resolved.seal(token).value);
  }

  /** A `Cookie` header with the session of a user who has signed in. */
  async loginAs(claims: Partial<TestClaims> = {}): Promise<string> {
    return (await loginAs(this.nest, { sub: 'u1', name: 'User', ...claims })).cookie;
  }

  header(value: string): string {
    const { name } = this.resolved.sessionCookie;
    return [...cookiesOf(name, value)].map((pair) => pair.join('=')).join('; ');
  }

  get(path: string, headers: Record<string, string> = {}) {
    return supertest(this.nest.getHttpServer() as never)
      .get(path)
      .redirects(0)
      .set(headers);
  }

  head(path: string) {
    return supertest(this.nest.getHttpServer() as never).head(path);
  }

  post(path: string, body: object, headers: Record<string, string> = {}) {
    return supertest(this.nest.getHttpServer() as never)
      .post(path)
      .redirects(0)
      .set(headers)
      .send(body);
  }

  page(path: string, headers: Record<string, string> = {}) {
    return this.get(path, { 'sec-fetch-mode': 'navigate', ...headers });
  }

  close() {
    return this.nest.close();
  }
}

/** The session cookies that a response sets: name → value; the value is empty for a deleted one. */
export function sessionCookies(headers: Record<string, unknown>): Record<string, string> {
  const lines = [headers['set-cookie'] ?? []].flat() as string[];
  return Object.fromEntries(
    lines
      .filter((line) => line.includes('session-token'))
      .map((line) => line.split(';', 1)[0]?.split('=', 2) as [string, string]),
  );
}

/** The body of a response of unknown type. */
export const bodyOf = ({ body }: { body: unknown }): unknown => body;
