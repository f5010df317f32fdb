// Run by `npm run test:packages` in each folder beside it: a program with all kinds of handlers, on one version of Nest.
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get as httpGet } from 'node:http';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import Credentials from '@auth/core/providers/credentials';
import { AuthModule, AuthSession, Public, RequireRoles } from '@mridang/nestjs-auth';
import { loginAs } from '@mridang/nestjs-auth/testing';
import { Catch, Controller, Get, HttpException, Module, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AbstractGraphQLDriver, GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { graphql } from 'graphql';
import { lastValueFrom } from 'rxjs';
import { io } from 'socket.io-client';

/** Applies decorators to a method, and parameter decorators to its parameters. */
function decorated(owner, name, decorators, ...parameters) {
  const descriptor = Object.getOwnPropertyDescriptor(owner.prototype, name);
  parameters.forEach((decorate, index) => decorate(owner.prototype, name, index));
  for (const decorate of decorators.toReversed()) decorate(owner.prototype, name, descriptor);
}

class Pages {
  member(session) {
    return { name: session.user.name };
  }
  admin() {
    return { admin: true };
  }
  open() {
    return { open: true };
  }
}
decorated(Pages, 'member', [Get('member')], AuthSession());
decorated(Pages, 'admin', [Get('admin'), RequireRoles('admin')]);
decorated(Pages, 'open', [Get('open'), Public()]);
Controller()(Pages);

class Messages {
  member() {
    return 'member';
  }
  admin() {
    return 'admin';
  }
}
decorated(Messages, 'member', [MessagePattern('member')]);
decorated(Messages, 'admin', [MessagePattern('admin'), RequireRoles('admin')]);
Controller()(Messages);

class Gateway {
  member(session) {
    return session.user.name;
  }
  open(session) {
    return `open ${session?.user.name ?? 'to strangers'}`;
  }
  admin(session) {
    return `admin ${session.user.name}`;
  }
}
decorated(Gateway, 'member', [SubscribeMessage('member')], AuthSession());
decorated(Gateway, 'open', [SubscribeMessage('open'), Public()], AuthSession());
decorated(Gateway, 'admin', [SubscribeMessage('admin'), RequireRoles('admin')], AuthSession());
WebSocketGateway()(Gateway);

class Queries {
  member(session) {
    return session.user.name;
  }
  admin() {
    return 'admin';
  }
}
decorated(Queries, 'member', [Query(() => String)], AuthSession());
decorated(Queries, 'admin', [Query(() => String), RequireRoles('admin')]);
Resolver()(Queries);

/** The smallest driver: what it runs is Nest's own code for resolvers. */
class Driver extends AbstractGraphQLDriver {
  async start({ schema }) {
    const { httpAdapter } = this.httpAdapterHost;
    httpAdapter.post('/graphql', async (req, res) => {
      const { query: source } = req.body;
      const { data, errors } = await graphql({ schema, source, contextValue: { req, res } });
      httpAdapter.reply(res, { data, codes: errors?.map(({ originalError }) => originalError.code) }, 200);
    });
  }
  stop() {}
  generateSchema(options) {
    return this.graphQlFactory.generateSchema(options);
  }
}

class HttpExceptionFilter {
  catch(exception, host) {
    if (host.getType() !== 'http') throw exception;
    host.switchToHttp().getResponse().status(exception.getStatus()).send({ by: 'the application' });
  }
}
Catch(HttpException)(HttpExceptionFilter);

class Program {}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

for (const [name, adapter] of [
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
]) {
  describe(name, () => {
    let app;
    let origin;
    let messages;

    before(async () => {
      const [port, tcp] = [await freePort(), await freePort()];
      origin = `http://localhost:${port}`;
      const imports = [
        AuthModule.register({
          origin,
          secret: 'a secret for the tests that is long enough',
          providers: [
            Credentials({ credentials: { name: {} }, authorize: ({ name }) => ({ id: name, name }) }),
          ],
        }),
        GraphQLModule.forRoot({ driver: Driver, autoSchemaFile: true }),
      ];
      Module({ imports, controllers: [Pages, Messages], providers: [Gateway, Queries] })(Program);
      app = await NestFactory.create(Program, adapter(), { logger: ['fatal'], abortOnError: false });
      app.useGlobalFilters(new HttpExceptionFilter());
      app.enableVersioning({ type: VersioningType.URI });
      const options = { host: '127.0.0.1', port: tcp };
      app.connectMicroservice({ transport: Transport.TCP, options });
      await app.startAllMicroservices();
      await app.listen(port);
      messages = ClientProxyFactory.create({ transport: Transport.TCP, options });
    });
    after(async () => {
      messages?.close();
      await app?.close();
    });

    const signIn = async (as) => (await loginAs(app, { sub: as, name: as, roles: [as] })).cookie;

    const status = async (path, cookie = '') => (await fetch(origin + path, { headers: { cookie } })).status;

    const cookiesOf = (answer) => answer.headers.getSetCookie().map((line) => line.split(';', 1)[0]);

    it('signs in with a password', async () => {
      const csrf = await fetch(`${origin}/auth/csrf`);
      const { csrfToken } = await csrf.json();
      const answer = await fetch(`${origin}/auth/callback/credentials`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie: cookiesOf(csrf).join('; ') },
        body: new URLSearchParams({ csrfToken, name: 'editor' }),
      });
      assert.equal(answer.status, 302);
      assert.equal(await status('/member', cookiesOf(answer).join('; ')), 200);
    });

    it('guards routes', async () => {
      const [editor, admin] = [await signIn('editor'), await signIn('admin')];
      assert.deepEqual(
        [await status('/open'), await status('/member'), await status('/member', editor)],
        [200, 401, 200],
      );
      assert.deepEqual([await status('/admin', editor), await status('/admin', admin)], [403, 200]);
    });

    it('sends a page to the sign-in page, whatever filter the application has', async () => {
      // `fetch` sends Fetch Metadata of a program.
      const headers = { 'sec-fetch-mode': 'navigate', accept: 'text/html' };
      const [answer] = await once(httpGet(`${origin}/member`, { headers }), 'response');
      answer.resume();
      assert.equal(answer.headers.location, '/auth/signin?callbackUrl=%2Fmember');
    });

    async function query(source, cookie = '') {
      const answer = await fetch(`${origin}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie },
        body: JSON.stringify({ query: source }),
      });
      return answer.json();
    }

    it('guards GraphQL resolvers', async () => {
      const [editor, admin] = [await signIn('editor'), await signIn('admin')];
      assert.deepEqual((await query('{ member }')).codes, ['AUTH_SESSION_REQUIRED']);
      assert.equal((await query('{ member }', editor)).data.member, 'editor');
      assert.deepEqual((await query('{ admin }', editor)).codes, ['AUTH_ROLES_REQUIRED']);
      assert.equal((await query('{ admin }', admin)).data.admin, 'admin');
    });

    /** What a gateway answers to a message, or what it refuses it with. */
    async function emit(message, cookie = '') {
      const socket = io(origin, { extraHeaders: { cookie }, transports: ['websocket'] });
      try {
        return await Promise.race([
          new Promise((resolve) => socket.on('exception', ({ code }) => resolve(code))),
          new Promise((resolve) => socket.emit(message, {}, resolve)),
          wait(5_000, 'no answer', { ref: false }),
        ]);
      } finally {
        socket.close();
      }
    }

    it('guards WebSocket messages', async () => {
      const [editor, admin] = [await signIn('editor'), await signIn('admin')];
      assert.deepEqual(
        [await emit('member'), await emit('member', editor)],
        ['AUTH_SESSION_REQUIRED', 'editor'],
      );
      assert.deepEqual(
        [await emit('open'), await emit('open', editor)],
        ['open to strangers', 'open editor'],
      );
      assert.deepEqual(
        [await emit('admin'), await emit('admin', editor), await emit('admin', admin)],
        ['AUTH_SESSION_REQUIRED', 'AUTH_ROLES_REQUIRED', 'admin admin'],
      );
    });

    it('refuses messages of a microservice that require roles', async () => {
      assert.equal(await lastValueFrom(messages.send('member', {})), 'member');
      await assert.rejects(lastValueFrom(messages.send('admin', {})), (error) => {
        assert.equal(error.code, 'AUTH_SESSION_REQUIRED');
        return true;
      });
    });
  });
}
