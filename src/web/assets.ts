import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { NextFunction, Request, Response } from 'express';

const PREFIX = '/static/';

/** Files at addresses with a fingerprint of their content, which browsers cache without revalidation. */
export class Assets {
  private readonly kept: Addresses | undefined;

  /** @param options.cache the files do not change while the program runs */
  constructor(
    private readonly folder: string,
    options: { cache: boolean },
  ) {
    if (options.cache) this.kept = this.read();
  }

  /** The address of a file, as in `/static/app.0123456789abcdef.css`. Throws for a file there is not. */
  urlOf(name: string): string {
    const address = this.addresses.byName.get(name);
    if (!address) throw new Error(`There is no file ${name} in ${this.folder}`);
    return address;
  }

  /** Rewrites a fingerprinted address to its file. An outdated fingerprint is 404. */
  readonly middleware = (request: Request, response: Response, next: NextFunction) => {
    const name = request.url.startsWith(PREFIX) ? this.addresses.nameOf.get(request.path) : undefined;
    if (name !== undefined) {
      request.url = PREFIX + name;
      response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    }
    next();
  };

  private get addresses(): Addresses {
    return this.kept ?? this.read();
  }

  private read(): Addresses {
    const byName = new Map(filesIn(this.folder).map((name) => [name, this.addressOf(name)]));
    return { byName, nameOf: new Map([...byName].map(([name, address]) => [address, name])) };
  }

  private addressOf(name: string): string {
    const fingerprint = hash('sha256', readFileSync(join(this.folder, name))).slice(0, 16);
    return PREFIX + name.replace(/(\.\w+)?$/, `.${fingerprint}$1`);
  }
}

interface Addresses {
  byName: ReadonlyMap<string, string>;
  nameOf: ReadonlyMap<string, string>;
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
