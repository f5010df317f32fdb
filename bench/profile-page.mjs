import { SessionService } from '@mridang/nestjs-auth';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../dist/app.module.js';
import { readEnv } from '../dist/config/env.js';
import { ProfileController } from '../dist/pages/profile.controller.js';
import { startApp, startPlain } from './support/app.mjs';
import { compare } from './support/compare.mjs';
import { requestWith } from './support/request-with.mjs';

export const question = 'What does being signed in cost a page?';
export const about =
  '`GET /profile` with a session cookie the process has seen before, against the same bytes from plain Nest and Handlebars.';

const GOAL = 0.85;

/** @param {import('./main.mjs').Lab} lab */
export async function answer(lab) {
  const app = await startApp();
  const browser = app.browser();
  const cookie = await browser.signIn(app.origin, 'alice@acme.example');
  const pages = { '/profile': await profilePage(app, browser, cookie) };
  const plain = await startPlain(pages, app.env);
  const withoutSignIn = await startPlain(pages, app.env, { lean: true });
  try {
    // A session cookie is renewed after a minute. A browser would send the new one; here each round gets its own.
    const headers = async () => ({
      accept: 'text/html',
      cookie: await browser.signIn(app.origin, 'alice@acme.example'),
    });
    const candidate = (name, { origin, cpuUs }, baseline) => ({
      name,
      url: `${origin}/profile`,
      cpuUs,
      headers,
      baseline,
    });
    const results = await compare(
      [
        candidate('plain', plain, 'plain'),
        candidate('this app without sign-in', withoutSignIn, 'the same without sign-in'),
        candidate('this app, signed in', app),
      ],
      lab,
    );
    return {
      rows: results.map(({ row }) => row),
      goals: [
        {
          name: '`GET /profile`, share of plain',
          measured: results[2].ratios.plain,
          atLeast: GOAL,
          digits: 3,
        },
      ],
    };
  } finally {
    await Promise.all([app.stop(), plain.stop(), withoutSignIn.stop()]);
  }
}

/** The view model of the application itself, for the person whose cookie it is. */
async function profilePage({ origin, env }, browser, cookie) {
  const app = await NestFactory.createApplicationContext(AppModule.register(readEnv(env)), { logger: false });
  const { request, response } = requestWith(cookie);
  const session = await app.get(SessionService, { strict: false }).load(request, response);
  const model = await app.get(ProfileController, { strict: false }).profile(session, request, response);
  await app.close();
  const profile = await browser.open(`${origin}/profile`);
  const frame = {
    language: 'en',
    userName: session.user.name,
    links: [
      { href: '/profile', label: 'nav.profile', isCurrent: true },
      { href: '/admin', label: 'nav.admin', isCurrent: false },
    ],
    csrfToken: /name="csrfToken" value="(\w+)"/.exec(profile.text)?.[1],
  };
  return { view: 'profile', model: { ...model, frame } };
}
