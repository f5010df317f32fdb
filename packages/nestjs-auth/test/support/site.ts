import type { AddressInfo, Server } from 'node:net';
import type { ModuleMetadata } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { Browser, type Page } from '../../../../test/support/browser.js';
import { freePort } from '../../../../test/support/free-port.js';
import type { IAuthModuleOptions } from '../../src/index.js';
import { TinyApp } from './tiny-app.js';

/** A listening application and a browser. */
export interface Site {
  app: TinyApp;
  browser: Browser;
  origin: string;
  /** Opens a page without a session and submits the form of the sign-in page. */
  toProvider(path: string): Promise<Page>;
}

export async function startSite(
  auth: Partial<IAuthModuleOptions>,
  controllers: ModuleMetadata['controllers'],
  { port = 0, log = [], adapter }: { port?: number; log?: string[]; adapter?: AbstractHttpAdapter } = {},
): Promise<Site> {
  const listening = port || (await freePort());
  const origin = `http://localhost:${listening}`;
  const app = await TinyApp.start({
    auth: { origin, ...auth },
    ...(controllers ? { controllers } : {}),
    log,
    ...(adapter ? { adapter } : {}),
  });
  await app.nest.listen(listening);
  const { port: bound } = (app.nest.getHttpServer() as Server).address() as AddressInfo;
  if (bound !== listening) throw new Error(`Port ${listening} was taken`);
  const browser = new Browser(origin);
  return {
    app,
    browser,
    origin,
    toProvider: async (path) => browser.submit(await browser.get(path), 'form[action*="/auth/signin/"]'),
  };
}
