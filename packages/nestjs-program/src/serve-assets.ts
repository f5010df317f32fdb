import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Response } from 'express';

const FOR_GOOD = 'public, max-age=31536000, immutable';

/**
 * Serves a folder under `/static`. Browsers keep a file without revalidation when its address has the fingerprint of its content.
 *
 * @param options.cache the files do not change while the program runs
 * @returns a function that makes the address of a file, as in `/static/app.css?0123456789abcdef`, and throws for a file there is not
 */
export function serveAssets(app: NestExpressApplication, folder: string, { cache }: { cache: boolean }) {
  const known = new Map<string, string>();
  const fingerprintOf = (path: string) => {
    const kept = cache ? known.get(path) : undefined;
    const fingerprint = kept ?? hash('sha256', readFileSync(path)).slice(0, 16);
    known.set(path, fingerprint);
    return fingerprint;
  };
  app.useStaticAssets(folder, {
    prefix: '/static',
    index: false,
    redirect: false,
    setHeaders: (response: Response, path) => {
      if (response.req.originalUrl.endsWith(`?${fingerprintOf(path)}`))
        response.setHeader('Cache-Control', FOR_GOOD);
    },
  });
  return (name: string) => `/static/${name}?${fingerprintOf(join(folder, name))}`;
}
