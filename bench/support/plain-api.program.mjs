// The baseline of the API: the same controller, headers and parsers without the token check.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { configureApi } from '../../build/api/api.setup.js';
import { AppController } from '../../build/api/app.controller.js';
import { API_ENV, readApiEnv } from '../../build/config/api-env.js';
import { LeanExpressAdapter } from '@mridang/nestjs-program';
import { serve } from './remote.mjs';

serve({
  async start(env, { lean }) {
    class PlainModule {}
    Module({
      controllers: [AppController],
      providers: [{ provide: API_ENV, useValue: readApiEnv(env) }],
    })(PlainModule);
    const adapter = lean ? new LeanExpressAdapter() : new ExpressAdapter();
    const app = await NestFactory.create(PlainModule, adapter, { logger: false, bodyParser: false });
    configureApi(app);
    await app.listen(0);
    return app.getHttpServer().address().port;
  },
});
