import { Global, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ErrorFilter } from './error.filter.js';
import { PageFrame } from './page-frame.js';

@Global()
@Module({
  providers: [PageFrame, { provide: APP_FILTER, useClass: ErrorFilter }],
  exports: [PageFrame],
})
export class HttpModule {}
