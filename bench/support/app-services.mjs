import { SessionService } from '@mridang/nestjs-auth';
import { NestFactory } from '@nestjs/core';
import { AppModule } from '../../build/app.module.js';
import { readEnv } from '../../build/config/env.js';
import { ProfileController } from '../../build/pages/profile.controller.js';
import { differentCookies } from './different-cookies.mjs';
import { requestWith } from './request-with.mjs';

/**
 * The application without its web server: makes the input of the programs and is not measured.
 *
 * @param {{ origin: string, env: Record<string, string> }} app
 */
export async function startServices({ origin, env }) {
  const app = await NestFactory.createApplicationContext(AppModule.register(readEnv(env)), { logger: false });
  const sessions = app.get(SessionService, { strict: false });
  return {
    /** See `differentCookies`. */
    differentCookies: (cookie, count) => differentCookies(sessions, cookie, count),
    /** The profile page of the signed-in user. */
    async profilePage(browser) {
      const { request, response } = requestWith(browser.cookieHeader(origin));
      const session = await sessions.load(request, response);
      const model = await app.get(ProfileController, { strict: false }).profile(session, request, response);
      const { text } = await browser.open(`${origin}/profile`);
      const frame = {
        language: 'en',
        userName: session.user.name,
        links: [
          { href: '/profile', label: 'nav.profile', isCurrent: true },
          { href: '/admin', label: 'nav.admin', isCurrent: false },
        ],
        csrfToken: /name="csrfToken" value="(\w+)"/.exec(text)?.[1],
      };
      return { view: 'profile', model: { ...model, frame } };
    },
    close: () => app.close(),
  };
}

/** The home page without a session. */
export const homePage = {
  view: 'home',
  model: { frame: { language: 'en', links: [{ href: '/profile', label: 'nav.profile', isCurrent: false }] } },
};
