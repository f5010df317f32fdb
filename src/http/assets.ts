import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { NextFunction, Request, Response } from 'express';

const PREFIX = '/static/';
const FINGERPRINTED = /^\/static\/([\w\-/]+)\.([\da-f]{16})\.(\w+)$/;

/** The files of a folder, each at an address that changes with its content: browsers may keep it for good. */
export class Assets {
  private readonly fingerprints: ReadonlyMap<string, string> | undefined;

  /** @param options.cache the files do not change while the program runs */
  constructor(
    private readonly folder: string,
    options: { cache: boolean },
  ) {
    if (options.cache) this.fingerprints = new Map(filesIn(folder).map((name) => [name, this.read(name)]));
  }

  /** The address of a file, as in `/static/app.0123456789abcdef.css`. Throws for a file there is not. */
  urlOf(name: string): string {
    const fingerprint = this.fingerprintOf(name);
    if (!fingerprint) throw new Error(`There is no file ${name} in ${this.folder}`);
    return PREFIX + name.replace(/(\.\w+)$/, `.${fingerprint}$1`);
  }

  /** Leads a fingerprinted address to its file; to none where the content has changed. */
  readonly middleware = (request: Request, response: Response, next: NextFunction) => {
    const [, path, fingerprint, extension] = FINGERPRINTED.exec(request.path) ?? [];
    const name = `${path}.${extension}`;
    if (path !== undefined && fingerprint === this.fingerprintOf(name)) {
      request.url = PREFIX + name;
      response.setHeader('Cache-Control', 'public, max-age=31536000, immutable');
    }
    next();
  };

  private fingerprintOf(name: string): string | undefined {
    if (this.fingerprints) return this.fingerprints.get(name);
    try {
      return this.read(name);
    } catch {
      return undefined;
    }
  }

  private read(name: string): string {
    return hash('sha256', readFileSync(join(this.folder, name))).slice(0, 16);
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}
