// The least that Nest and Handlebars need for the bytes of a page: one static view and one layout, as the documentation of both sets
// them up, without session, headers and parsers of an application.
import 'reflect-metadata';
import process from 'node:process';
import { Controller, Get, Module, Render } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const { port, path, views } = JSON.parse(process.env.SETTINGS ?? '');

class PageController {
  show() {
    return {};
  }
}
const show = Object.getOwnPropertyDescriptor(PageController.prototype, 'show');
for (const decorate of [Get(path), Render('page')]) decorate(PageController.prototype, 'show', show);
Controller()(PageController);

class StaticModule {}
Module({ controllers: [PageController] })(StaticModule);

const app = await NestFactory.create(StaticModule, { logger: false });
app.setBaseViewsDir(views);
app.setViewEngine('hbs');
await app.listen(port);
