import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Request, Response } from 'express';
import { Assets } from '../src/web/assets.js';
import { startApp, type RunningApp } from './support/start-app.js';

describe('the address of a file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'assets-'));
    mkdirSync(join(folder, 'fonts'));
    writeFileSync(join(folder, 'app.css'), 'a { color: red }');
    writeFileSync(join(folder, 'fonts', 'my-font.woff2'), 'a font');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Where the middleware leads to, and how long that may be kept. */
  function opened(assets: Assets, path: string) {
    const request = { url: path, path: path.split('?')[0] } as Request;
    const headers: Record<string, string> = {};
    const response = {
      setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    } as unknown as Response;
    let isPassedOn = false;
    assets.middleware(request, response, () => (isPassedOn = true));
    expect(isPassedOn).toBe(true);
    return { url: request.url, cacheControl: headers['cache-control'] };
  }

  it.each([true, false])('has a fingerprint of its content (cache: %s)', (cache) => {
    const assets = new Assets(folder, { cache });
    const address = assets.urlOf('app.css');
    expect(address).toMatch(/^\/static\/app\.[\da-f]{16}\.css$/);
    expect(opened(assets, address)).toEqual({
      url: '/static/app.css',
      cacheControl: 'public, max-age=31536000, immutable',
    });
    const font = assets.urlOf('fonts/my-font.woff2');
    expect(font).toMatch(/^\/static\/fonts\/my-font\.[\da-f]{16}\.woff2$/);
    expect(opened(assets, font).url).toBe('/static/fonts/my-font.woff2');
  });

  it('changes with the content, and with nothing else', () => {
    const before = new Assets(folder, { cache: true }).urlOf('app.css');
    expect(new Assets(folder, { cache: true }).urlOf('app.css')).toBe(before);
    writeFileSync(join(folder, 'app.css'), 'a { color: blue }');
    const assets = new Assets(folder, { cache: true });
    expect(assets.urlOf('app.css')).not.toBe(before);
    expect(opened(assets, before)).toEqual({ url: before, cacheControl: undefined });
  });

  it('changes while the program runs, in development', () => {
    const assets = new Assets(folder, { cache: false });
    const before = assets.urlOf('app.css');
    writeFileSync(join(folder, 'app.css'), 'a { color: blue }');
    expect(assets.urlOf('app.css')).not.toBe(before);
    expect(opened(assets, before).cacheControl).toBeUndefined();
  });

  it.each([
    '/static/app.css',
    '/static/app.0123456789abcdef.css',
    '/static/none.0123456789abcdef.css',
    '/static/../package.0123456789abcdef.json',
    '/static/app.undefined.css',
    '/other/app.0123456789abcdef.css',
  ])('is no other: %s', (path) => {
    for (const cache of [true, false])
      expect(opened(new Assets(folder, { cache }), path)).toEqual({ url: path, cacheControl: undefined });
  });
});

describe('through HTTP', () => {
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
  const plain = (address: string) => address.replace(/\.[\da-f]{16}\./, '.');

  it('a page names its files by their fingerprint, and browsers keep them for good', async () => {
    for (const address of addresses) {
      expect(address).toMatch(/^\/static\/\w+\.[\da-f]{16}\.(css|js|svg)$/);
      const answer = await get(address);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(answer.headers.get('content-type')).toMatch(/^(text\/css|text\/javascript|image\/svg)/);
      expect(answer.headers.has('set-cookie')).toBe(false);
      expect(answer.headers.get('vary') ?? '').not.toContain('Cookie');
    }
  });

  it('the same file without a fingerprint is asked for again', async () => {
    for (const address of addresses) {
      const [named, unnamed] = await Promise.all([get(address), get(plain(address))]);
      expect(unnamed.status).toBe(200);
      expect(unnamed.headers.get('cache-control')).toMatch(/max-age=0|no-cache/);
      expect(unnamed.headers.get('cache-control')).not.toContain('immutable');
      expect(await unnamed.text()).toBe(await named.text());
    }
  });

  it('a fingerprint of other content is no file, and nobody keeps that answer', async () => {
    for (const address of addresses) {
      const answer = await get(address.replace(/[\da-f]{16}/, '0123456789abcdef'));
      expect(answer.status).toBe(404);
      expect(answer.headers.get('cache-control')).toBe('no-store');
    }
  });

  it('who has a copy is told that it is still good', async () => {
    // Not with `fetch`, which asks for a fresh copy by itself.
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

  it('nothing outside of the folder is a static file', async () => {
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
