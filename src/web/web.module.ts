import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ErrorFilter } from './error.filter.js';
import { PathCheck } from './path-check.js';

@Module({ providers: [{ provide: APP_FILTER, useClass: ErrorFilter }, PathCheck] })
export class WebModule {}
