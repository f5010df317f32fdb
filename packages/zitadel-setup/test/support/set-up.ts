import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'dotenv';
import type { Sandbox } from 'zitadel-sandbox';
import { runSetup, type SetupDocument, type Surroundings } from 'zitadel-setup';

/** What a run of the set-up wrote and returned. */
export interface Ran {
  status: number;
  stdout: string;
  stderr: string;
}

/** A folder with an env file, which a set-up of a sandbox works on. */
export class SetupFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'setup-'));
  readonly envFile = join(this.path, '.env');

  constructor(readonly sandbox: Sandbox) {}

  /** Runs with the token of the service user with IAM_OWNER, and without questions. */
  run(args: string[] = [], surroundings: Partial<Surroundings> = {}): Promise<Ran> {
    return this.runAs(this.sandbox.personalAccessToken ?? '', ['--yes', ...args], surroundings);
  }

  async runAs(token: string, args: string[], surroundings: Partial<Surroundings> = {}): Promise<Ran> {
    const patFile = join(this.path, 'admin.pat');
    writeFileSync(patFile, `${token}\n`);
    return this.runWith(['--pat-file', patFile, '--issuer', this.sandbox.issuer, ...args], surroundings);
  }

  async runWith(args: string[], surroundings: Partial<Surroundings> = {}): Promise<Ran> {
    const written = { stdout: '', stderr: '' };
    const status = await runSetup(['--env-file', this.envFile, ...args], {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
      isInteractive: false,
      ask: () => Promise.reject(new Error('Nobody is asked')),
      pollPausesMs: [1, 1, 1, 1],
      ...surroundings,
    });
    return { status, ...written };
  }

  /** The document of `--json`. */
  async document(args: string[] = []): Promise<SetupDocument> {
    return documentOf(await this.run(['--json', ...args]));
  }

  get environment(): Record<string, string> {
    return parse(readFileSync(this.envFile));
  }

  /** The calls of the management API that change something, by their methods. */
  get commands(): string[] {
    return this.sandbox.requests
      .filter(({ path }) => path.startsWith('/zitadel.') && !/\/(List|Get)/.test(path))
      .map(({ path }) => path.replace(/^\/zitadel\.\w+\.v2\./, ''));
  }
}

export function documentOf({ stdout }: Ran): SetupDocument {
  return JSON.parse(stdout) as SetupDocument;
}
