import { Public } from '@mridang/nestjs-auth';
import { Authenticate } from '@mridang/nestjs-zitadel';
import { Body, Controller, Post } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { csrfFrom } from './support/browser.js';
import { signIn } from './support/sign-in.js';
import { startApp, type RunningApp } from './support/start-app.js';

@Controller('bodies')
class BodyRoutes {
  @Post('open')
  @Public()
  open(@Body() body: unknown) {
    return { body };
  }

  @Post('both')
  @Authenticate('session', 'bearer')
  both(@Body('text') given: unknown) {
    return { text: given };
  }
}

let app: RunningApp;
beforeAll(async () => {
  app = await startApp({ controllers: [BodyRoutes] });
});
afterAll(() => app.close());

const JSON_TYPE = { 'content-type': 'application/json' };

const post = (path: string, body: string, headers: Record<string, string> = JSON_TYPE) =>
  fetch(app.origin + path, { method: 'POST', body, headers, redirect: 'manual' });

describe('a JSON body', () => {
  it('reaches the handler', async () => {
    const answer = await post('/bodies/open', '{"text":"ä"}');
    expect([answer.status, await answer.json()]).toEqual([201, { body: { text: 'ä' } }]);
  });

  it('carries the CSRF token as the field of a form does', async () => {
    const browser = app.browser();
    const { csrfToken } = csrfFrom(await signIn(browser, 'alice@acme.example', '/profile'));
    const headers = { ...JSON_TYPE, cookie: await browser.cookieHeader() };
    const send = (body: object) => post('/bodies/both', JSON.stringify(body), headers);
    const refused = await send({ text: 'a', csrfToken: [csrfToken] });
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'AUTH_CSRF_TOKEN_INVALID' }),
    ]);
    const answer = await send({ text: 'a', csrfToken });
    expect([answer.status, await answer.json()]).toEqual([201, { text: 'a' }]);
  });

  it.each(['{"text":"canary-value"', '"canary-value"', 'null', '{}}'])(
    'that is no JSON object or array is answered 400, without its text: %s',
    async (body) => {
      const answer = await post('/bodies/open', body);
      const received = (await answer.json()) as object;
      expect([answer.status, received]).toEqual([
        400,
        { statusCode: 400, code: 'BODY_NOT_JSON', message: 'The body is not valid JSON' },
      ]);
    },
  );

  it('that is longer than a form may be is answered 413', async () => {
    const answer = await post('/bodies/open', JSON.stringify({ text: 'x'.repeat(33_000) }));
    expect([answer.status, await answer.json()]).toMatchObject([413, { statusCode: 413 }]);
  });

  it('of another type is undefined, as NestJS has it', async () => {
    const answer = await post('/bodies/open', 'text', { 'content-type': 'text/plain' });
    expect([answer.status, await answer.json()]).toEqual([201, {}]);
  });

  it('starts no sign-in and ends no session without the CSRF token', async () => {
    for (const path of ['/auth/signin/zitadel', '/auth/logout']) {
      const answers = [
        await post(path, '{}'),
        await post(path, '[]'),
        await post(path, '{"csrfToken":{},"callbackUrl":{}}'),
      ];
      expect(answers.map(({ status }) => status)).toEqual([403, 403, 403]);
    }
  });
});
