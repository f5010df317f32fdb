import { Public } from '@mridang/nestjs-auth';
import { Controller, Get, Module, Req, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { startSandbox, type Sandbox } from 'zitadel-sandbox';
import { Browser } from '../../../test/support/browser.js';
import { freePort } from '../../../test/support/free-port.js';
import { choose } from '../../../test/support/sign-in.js';
import { ZitadelModule } from '../src/index.js';

@Controller('hello')
class HelloController {
  @Get()
  hello() {
    return 'Hello';
  }

  @Public()
  @Get('address')
  address(@Req() { url, originalUrl }: { url: string; originalUrl: string }) {
    return { url, originalUrl };
  }
}

let app: INestApplication | undefined;
let sandbox: Sandbox | undefined;
afterEach(async () => {
  await app?.close();
  await sandbox?.close();
});

interface Paths {
  callback: string;
  postLogout?: string;
  mountPath?: string;
  prefix?: string;
}

/** An application that configures its paths and has no routes for them. */
async function start({ callback, postLogout = '/auth/logout/callback', mountPath = '', prefix }: Paths) {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const web = { redirectUris: [origin + callback], postLogoutRedirectUris: [origin + postLogout] };
  sandbox = await startSandbox({ web });
  const zitadel = ZitadelModule.register({
    issuer: sandbox.issuer,
    clientId: sandbox.clients.web.clientId,
    clientSecret: sandbox.clients.web.clientSecret,
    redirectUri: origin + callback,
    postLogoutRedirectUri: origin + postLogout,
    mountPath,
    secret: 'a secret for the tests that is long enough',
    checkAtStart: false,
  });
  @Module({ imports: [zitadel], controllers: [HelloController] })
  class AppModule {}
  app = await NestFactory.create(AppModule, { logger: false });
  if (prefix) app.setGlobalPrefix(prefix);
  await app.listen(port);
  return origin;
}

describe('an application with ZitadelModule alone', () => {
  it.each<[string, Paths & { page?: string }]>([
    ['with the paths of the routes', { callback: '/auth/callback' }],
    ['with paths of its own', { callback: '/signed-in', postLogout: '/bye' }],
    ['below a mount path', { callback: '/base/auth/callback', postLogout: '/base/bye', mountPath: '/base' }],
    [
      'below a global prefix',
      { callback: '/v1/auth/callback', postLogout: '/v1/auth/logout/callback', prefix: 'v1' },
    ],
    [
      'with a path of its own beside a global prefix',
      { callback: '/signed-in', postLogout: '/bye', prefix: 'v1' },
    ],
  ])('%s returns to the page after a sign-in and signs out', async (_name, paths) => {
    const origin = await start(paths);
    const browser = new Browser(origin);
    const before = `${paths.mountPath ?? ''}${paths.prefix ? `/${paths.prefix}` : ''}`;
    const signInPage = await browser.get(`${before}/hello`);
    const people = await browser.submit(signInPage, 'form[action$="/auth/signin/zitadel"]');
    const page = await choose(browser, people, 'bob@acme.example');
    expect([page.url.pathname, page.text]).toEqual([`${before}/hello`, 'Hello']);
    const signOutPage = await browser.get(`${before}/auth/signout`);
    const out = await browser.submit(signOutPage, 'form[action$="/auth/signout"]');
    expect(out.path.map(({ pathname }) => pathname)).toContain(paths.postLogout ?? '/auth/logout/callback');
    expect(out.url.search).toBe('');
    expect((await fetch(`${origin}${before}/hello`)).status).toBe(401);
  });
});

it.each(['/base/hello/address?a=b', '/hello/address?a=b'])(
  'a handler gets the path without mountPath in url and the whole path in originalUrl, whether the proxy strips it or not: %s',
  async (path) => {
    const origin = await start({
      callback: '/base/auth/callback',
      postLogout: '/base/bye',
      mountPath: '/base',
    });
    expect(await (await fetch(origin + path)).json()).toEqual({
      url: '/hello/address?a=b',
      originalUrl: '/base/hello/address?a=b',
    });
  },
);
