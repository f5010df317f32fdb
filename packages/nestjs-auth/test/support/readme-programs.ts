/** Programs around the samples of the README, which are in files `sample-0`, `sample-1`, … beside them. */
export const readmePrograms = {
  pages: `
    import 'reflect-metadata';
    import { Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { AppModule } from './sample-0.js';
    import { PagesController } from './sample-1.js';
    import { OrdersController } from './sample-5.js';

    @Module({ imports: [AppModule], controllers: [PagesController, OrdersController] })
    class Program {}

    void NestFactory.create(Program).then((app) => app.listen(Number(process.env['PORT'])));
  `,
  guests: `
    import 'reflect-metadata';
    import { AuthSession, type Session } from '@mridang/nestjs-auth';
    import { Controller, Get, Module, UseGuards } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { AppModule } from './sample-2.js';
    import { GuestGuard } from './sample-4.js';

    const nameIn = (session: Session | null) => session?.user?.id ?? 'nobody';

    @Controller('guests')
    @UseGuards(GuestGuard)
    class GuestsController {
      @Get() read(@AuthSession() session: Session | null) { return nameIn(session); }
    }

    @Controller('members')
    @UseGuards(GuestGuard)
    class MembersController {
      @Get() read(@AuthSession() session: Session | null) { return nameIn(session); }
    }

    @Controller('open')
    class OpenController {
      @Get() read() { return 'open'; }
    }

    @Module({ imports: [AppModule], controllers: [GuestsController, MembersController, OpenController] })
    class Program {}

    void NestFactory.create(Program).then((app) => app.listen(Number(process.env['PORT'])));
  `,
  store: `
    import 'reflect-metadata';
    import { AuthModule, AuthSession, SessionService, type AuthenticatedRequest, type AuthUser, type Session } from '@mridang/nestjs-auth';
    import { Controller, Get, HttpCode, Module, Post, Req, Res } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import type { ServerResponse } from 'node:http';
    import { AuthOptions } from './sample-2.js';
    import { label } from './sample-3.js';
    import { EndedSessions, signOut } from './sample-6.js';

    const ended = new Set<string>();
    const store = {
      has: async (key: string) => ended.has(key),
      add: async (key: string, _ttlSeconds: number) => void ended.add(key),
    };

    @Controller()
    class HomeController {
      constructor(private readonly sessions: SessionService) {}

      @Get() read(@AuthSession() { user, tenant }: Session) {
        return label(user as AuthUser) + ' at ' + tenant;
      }

      @Post('leave')
      @HttpCode(303)
      leave(@Req() request: AuthenticatedRequest, @Res({ passthrough: true }) response: ServerResponse) {
        return signOut(this.sessions, request, response);
      }
    }

    const auth = AuthModule.register({
      ...new AuthOptions().createAuthOptions(),
      origin: 'http://localhost:' + process.env['PORT'],
      revocations: new EndedSessions(store),
      callbacks: {
        session: ({ session }) => ({ ...session, tenant: 'Acme', user: { ...session.user, department: 'sales' } }),
      },
    });

    @Module({ imports: [auth], controllers: [HomeController] })
    class Program {}

    void NestFactory.create(Program).then((app) => app.listen(Number(process.env['PORT'])));
  `,
  testing: `
    import 'reflect-metadata';
    import { Module } from '@nestjs/common';
    import { NestFactory } from '@nestjs/core';
    import { AppModule } from './sample-0.js';
    import { PagesController } from './sample-1.js';
    import { adminsAlone } from './sample-7.js';

    @Module({ imports: [AppModule], controllers: [PagesController] })
    class Program {}

    void NestFactory.create(Program).then(async (app) => {
      const port = Number(process.env['PORT']);
      await app.listen(port);
      await adminsAlone(app, 'http://localhost:' + port);
      console.log('The tests have passed');
    });
  `,
};
