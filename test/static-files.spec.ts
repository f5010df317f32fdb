import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { serveAssets } from '@mridang/nestjs-program';
import { startApp, type RunningApp } from './support/start-app.js';

describe('the address of a static file', () => {
  let folder: string;
  let running: NestExpressApplication[];
  beforeEach(() => {
    running = [];
    folder = mkdtempSync(join(tmpdir(), 'assets-'));
    mkdirSync(join(folder, 'fonts'));
    writeFileSync(join(folder, 'app.css'), 'a { color: red }');
    writeFileSync(join(folder, 'fonts', 'my-font.woff2'), 'a font');
  });
  afterEach(async () => {
    await Promise.all(running.map((app) => app.close()));
    rmSync(folder, { recursive: true });
  });

  /** An application that serves the folder. */
  async function serve(cache: boolean) {
    class EmptyModule {}
    const app = await NestFactory.create<NestExpressApplication>(EmptyModule, { logger: false });
    running.push(app);
    const addressOf = serveAssets(app, folder, { cache });
    await app.listen(0);
    const origin = await app.getUrl();
    const open = async (path: string) => {
      const answer = await fetch(origin + path);
      return [answer.status, answer.headers.get('cache-control'), await answer.text()];
    };
    return { addressOf, open };
  }

  const FOR_GOOD = 'public, max-age=31536000, immutable';
  const ASKED_AGAIN = 'public, max-age=0';

  it.each([true, false])(
    'contains a hash of its content and is cacheable for a year (cache: %s)',
    async (cache) => {
      const { addressOf, open } = await serve(cache);
      const address = addressOf('app.css');
      expect(address).toMatch(/^\/static\/app\.css\?[\da-f]{16}$/);
      expect(await open(address)).toEqual([200, FOR_GOOD, 'a { color: red }']);
      const font = addressOf('fonts/my-font.woff2');
      expect(font).toMatch(/^\/static\/fonts\/my-font\.woff2\?[\da-f]{16}$/);
      expect(await open(font)).toEqual([200, FOR_GOOD, 'a font']);
      expect(() => addressOf('none.css')).toThrow('none.css');
    },
  );

  it('changes if and only if the content changes', async () => {
    const before = (await serve(true)).addressOf('app.css');
    expect((await serve(true)).addressOf('app.css')).toBe(before);
    writeFileSync(join(folder, 'app.css'), 'a { color: blue }');
    const { addressOf, open } = await serve(true);
    expect(addressOf('app.css')).not.toBe(before);
    expect(await open(before)).toEqual([200, ASKED_AGAIN, 'a { color: blue }']);
  });

  it('changes while the program runs in development', async () => {
    const { addressOf, open } = await serve(false);
    const before = addressOf('app.css');
    writeFileSync(join(folder, 'app.css'), 'a { color: blue }');
    expect(addressOf('app.css')).not.toBe(before);
    expect(await open(before)).toEqual([200, ASKED_AGAIN, 'a { color: blue }']);
  });

  it.each([
    '/static/app.css',
    '/static/app.css?0123456789abcdef',
    '/static/app.css?undefined',
    '/static/none.css?0123456789abcdef',
    '/static/..%2fpackage.json?0123456789abcdef',
    '/other/app.css',
  ])('is not cacheable with another hash or path: %s', async (path) => {
    for (const cache of [true, false]) {
      const [, cacheControl] = await (await serve(cache)).open(path);
      expect(cacheControl).not.toBe(FOR_GOOD);
    }
  });
});

describe('in the web application,', () => {
  let app: RunningApp;
  let addresses: string[];

  beforeAll(async () => {
    app = await startApp();
    const { document } = await app.browser().get('/');
    addresses = ['link[rel="stylesheet"]', 'link[rel="icon"]', 'script', 'img'].map((selector) => {
      const element = document.querySelector(selector);
      return element?.getAttribute('href') ?? element?.getAttribute('src') ?? `no ${selector}`;
    });
  });
  afterAll(() => app.close());

  const get = (path: string, headers: Record<string, string> = {}) => fetch(app.origin + path, { headers });
  const plain = (address: string) => address.split('?')[0] ?? '';

  it('a page names its static files with their hash, which are cacheable for a year', async () => {
    for (const address of addresses) {
      expect(address).toMatch(/^\/static\/\w+\.(css|js|svg)\?[\da-f]{16}$/);
      const answer = await get(address);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(answer.headers.get('content-type')).toMatch(/^(text\/css|text\/javascript|image\/svg)/);
      expect(answer.headers.has('set-cookie')).toBe(false);
      expect(answer.headers.get('vary') ?? '').not.toContain('Cookie');
    }
  });

  it('a static file without its hash has max-age=0', async () => {
    for (const address of addresses) {
      const [named, unnamed] = await Promise.all([get(address), get(plain(address))]);
      expect(unnamed.status).toBe(200);
      expect(unnamed.headers.get('cache-control')).toMatch(/max-age=0|no-cache/);
      expect(unnamed.headers.get('cache-control')).not.toContain('immutable');
      expect(await unnamed.text()).toBe(await named.text());
    }
  });

  it('a static file with an old hash returns the current content with max-age=0', async () => {
    for (const address of addresses) {
      const answer = await get(`${plain(address)}?0123456789abcdef`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=0');
    }
  });

  it('a browser with a current copy of a static file gets 304', async () => {
    // fetch would send Cache-Control: no-cache.
    const ask = (address: string, headers = {}) =>
      app.browser().request('GET', new URL(address, app.origin), undefined, headers);
    for (const address of addresses.flatMap((named) => [named, plain(named)])) {
      const { headers } = await ask(address);
      expect(headers['etag']).toMatch(/^(W\/)?".+"$/);
      const again = await ask(address, { 'if-none-match': headers['etag'] });
      expect(again.status).toBe(304);
      expect(again.text).toBe('');
      expect(again.headers['cache-control']).toBe(headers['cache-control']);
      expect((await ask(address, { 'if-none-match': '"other"' })).status).toBe(200);
    }
  });

  it('a path outside the folder of static files gets 404', async () => {
    for (const path of [
      '/static/',
      '/static',
      '/static/../package.json',
      '/static/..%2fpackage.json',
      '/static/.env',
    ])
      expect((await get(path)).status).toBe(404);
  });
});
