import { isPlainRemote } from '@mridang/nestjs-zitadel';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { changedIn, readEnvFile, withVariables, type EnvFile } from '../files/env-file.js';
import { addressesOf, defaultsFrom, loopbackPort, variablesOf } from '../files/variables.js';
import { checkWritable, writeFiles, type NewFile } from '../files/write-files.js';
import { connect, projectOf } from '../management/connect.js';
import { ManagementRefused, type TokenSource } from '../management/management-client.js';
import { tokenFromFile, tokenFromKey } from '../management/token-source.js';
import { POLL_PAUSES_MS } from '../management/until.js';
import { planSteps } from '../plan/plan.js';
import type { Outcome, Step, Wanted, World } from '../plan/step.js';
import { SetupError, UsageError } from '../setup.error.js';
import { issuerFrom, originFrom, readCommandLine, usage, type Command } from './command-line.js';

/** What a set-up did, as `--json` writes it. `files` are those written in this run, by their paths. */
export interface SetupDocument extends Record<Outcome, string[]> {
  files: string[];
  /** with `--dry-run`: nothing was done, and the lists say what would be */
  dryRun?: true;
  /** the checks of the doctor afterwards */
  doctor?: unknown;
  /** why the set-up ended early */
  error?: string;
}

/** What a set-up needs of the program around it. */
export interface Surroundings {
  stdout: { write(text: string): unknown };
  stderr: { write(text: string): unknown };
  /** whether somebody is there to be asked: a terminal, and no CI */
  isInteractive: boolean;
  ask(question: string): Promise<string>;
  /** Checks the result, writes its lines to standard error, and returns its document. */
  doctor?: (envFile: string, serviceKeyFile: string | undefined) => unknown;
  /** pauses between searches while Zitadel does not show a change yet */
  pollPausesMs?: readonly number[];
}

/** Runs `npm run setup` with these arguments. Returns the exit status: 0 done, 1 failed, 2 wrong use. */
export async function runSetup(args: string[], surroundings: Surroundings): Promise<number> {
  try {
    const command = readCommandLine(args);
    if (command === 'help') {
      surroundings.stdout.write(usage);
      return 0;
    }
    const run = new SetupRun(command, surroundings);
    return await run.run().catch((error: unknown) => run.fail(error));
  } catch (error) {
    return failed(error, surroundings);
  }
}

const DEFAULT_PROJECT = 'nestjs-zitadel';

function failed(error: unknown, { stderr }: Surroundings): number {
  if (!(error instanceof SetupError || error instanceof ManagementRefused)) throw error;
  stderr.write(`${error.message}\n`);
  return error instanceof UsageError ? 2 : 1;
}

const signs: Record<Outcome, string> = { created: '+', changed: '~', unchanged: '=' };
const verbs: Record<Outcome, string> = { created: 'Created', changed: 'Changed', unchanged: 'Unchanged' };

class SetupRun {
  private readonly document: SetupDocument = { created: [], changed: [], unchanged: [], files: [] };

  constructor(
    private readonly command: Command,
    private readonly surroundings: Surroundings,
  ) {}

  /** whether something may have been made in Zitadel */
  private hasBegun = false;

  async run(): Promise<number> {
    const envFile = readEnvFile(this.command.envFile);
    checkWritable(envFile.path);
    const world = await this.connected(envFile);
    const steps = await planSteps(world);
    const isFileChanged = changedIn(envFile, variablesOf(world, envFile.values)).length > 0;
    const hasWork = isFileChanged || steps.some(({ outcome }) => outcome !== 'unchanged');
    this.show(steps, envFile, isFileChanged);
    if (this.command.isDryRun) return this.endDryRun(steps);
    if (hasWork && !(await this.isAgreed())) throw new SetupError('Nothing was changed.');
    this.hasBegun = true;
    await this.apply(steps);
    this.write(world, envFile);
    this.hasBegun = false;
    for (const warning of world.warnings) this.say(`Note: ${warning}.`);
    this.tell(this.summary(world.warnings.length > 0));
    await this.runDoctor(envFile.path);
    this.writeDocument();
    return 0;
  }

  private async connected(envFile: EnvFile): Promise<World> {
    const defaults = defaultsFrom(envFile.values);
    const { command } = this;
    const issuer =
      command.issuer ??
      issuerFrom(
        defaults.issuer ??
          (await this.asked('--issuer', 'Address of your Zitadel, such as https://my.zitadel.example')),
      );
    const webOrigin = command.webOrigin ?? defaults.webOrigin;
    const apiOrigin = command.apiOrigin ?? originFrom('--api-origin', defaults.apiOrigin);
    checkOrigins(
      {
        '--issuer': issuer,
        '--web-origin': webOrigin,
        '--api-origin': apiOrigin,
        '--events': command.events ?? issuer,
      },
      defaults.allowsInsecureHttp,
    );
    const port = loopbackPort(webOrigin);
    if (webOrigin === apiOrigin || (port !== undefined && port === loopbackPort(apiOrigin)))
      throw new UsageError('--web-origin and --api-origin: expected two origins with different ports');
    const connection = await connect(issuer, await this.tokenSource(), command.organization);
    const known = command.project === undefined ? await projectOf(connection.client, defaults) : undefined;
    const { backChannelUri, eventsPath, ...addresses } = addressesOf(webOrigin, envFile.values);
    const wanted: Wanted = {
      ...addresses,
      project: command.project ?? known?.name ?? DEFAULT_PROJECT,
      roles: command.roles,
      grants: command.grants,
      webOrigin,
      apiOrigin,
      backChannelUri: command.backChannel ? backChannelUri : undefined,
      eventsUri: command.events?.replace(/^(https?:\/\/[^/]+)\/$/, `$1${eventsPath}`),
      keyFile: keyFileFor(envFile, defaults.keyFile),
    };
    return {
      ...connection,
      organizationId: known?.organizationId ?? connection.organizationId,
      wanted,
      projectId: undefined,
      applications: new Map(),
      newKey: undefined,
      eventTargetId: undefined,
      eventsKey: undefined,
      warnings: [],
      pollPausesMs: this.surroundings.pollPausesMs ?? POLL_PAUSES_MS,
    };
  }

  private async tokenSource(): Promise<TokenSource> {
    const { patFile, keyFile } = this.command;
    if (keyFile !== undefined) return tokenFromKey(keyFile);
    const question =
      'File with a personal access token of a service user (console, Users, Service Users, Personal Access Tokens)';
    return tokenFromFile(patFile ?? (await this.asked('--pat-file', question)));
  }

  /** @throws `UsageError` where nobody can be asked */
  private async asked(option: string, question: string): Promise<string> {
    const answer = this.surroundings.isInteractive
      ? (await this.surroundings.ask(`${question}: `)).trim()
      : '';
    if (answer !== '') return answer;
    throw new UsageError(`${option} is missing. See --help`);
  }

  private show(steps: readonly Step[], envFile: EnvFile, isFileChanged: boolean): void {
    const lines = steps.map(({ what, outcome, details, isTry }) => {
      const more = details.length > 0 ? ` (${details.join('; ')})` : '';
      return `${isTry ? '?' : signs[outcome]} ${what}${more}`;
    });
    const fileOutcome = envFile.content === undefined ? 'created' : isFileChanged ? 'changed' : 'unchanged';
    this.tell([...lines, `${signs[fileOutcome]} file ${envFile.path}`].join('\n'));
  }

  private async isAgreed(): Promise<boolean> {
    if (this.command.isYes) return true;
    if (!this.surroundings.isInteractive)
      throw new UsageError('Nobody can be asked here: add --yes to make these changes, or --dry-run');
    return /^y(es)?$/i.test((await this.surroundings.ask('Make these changes? [y/N] ')).trim());
  }

  private async apply(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const { what, outcome } = step;
      const done = outcome === 'unchanged' ? outcome : await step.apply();
      this.document[done].push(what);
      if (outcome !== 'unchanged') this.say(`${verbs[done]} ${what}`);
    }
  }

  /** The key first: Zitadel shows it once. */
  private write(world: World, envFile: EnvFile): void {
    const { newKey, wanted } = world;
    const keyFile = keyFileBeside(envFile);
    if (newKey !== undefined) wanted.keyFile = keyFile;
    const known = Object.entries(variablesOf(world, envFile.values)).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    );
    const content = withVariables(envFile, Object.fromEntries(known));
    const files: NewFile[] = [];
    if (newKey !== undefined) {
      if (existsSync(keyFile)) files.push({ path: `${keyFile}.bak`, content: readFileSync(keyFile, 'utf8') });
      files.push({ path: keyFile, content: `${newKey}\n` });
    }
    if (content !== envFile.content) {
      if (envFile.content !== undefined)
        files.push({ path: `${envFile.path}.bak`, content: envFile.content });
      files.push({ path: envFile.path, content });
    }
    writeFiles(files, [keyFile, `${keyFile}.bak`, `${envFile.path}.bak`]);
    for (const { path } of files) {
      this.document.files.push(path);
      this.say(`Wrote ${path}`);
    }
  }

  private async runDoctor(envFile: string): Promise<void> {
    const { doctor } = this.surroundings;
    if (doctor) this.document.doctor = await doctor(envFile, this.command.keyFile);
  }

  private endDryRun(steps: readonly Step[]): number {
    for (const { what, outcome } of steps) this.document[outcome].push(what);
    this.document.dryRun = true;
    this.writeDocument();
    return 0;
  }

  /** Reports why the set-up ended early. Returns the exit status. */
  fail(error: unknown): number {
    const status = failed(error, this.surroundings);
    this.document.error = (error as Error).message;
    if (this.hasBegun)
      this.say('No file was changed. What was made in Zitadel stays, and the next run goes on with it.');
    this.writeDocument();
    return status;
  }

  private summary(isOtherwise: boolean): string {
    const { created, changed, unchanged, files } = this.document;
    if ([created, changed, files].every(({ length }) => length === 0))
      return `Everything ${isOtherwise ? 'else ' : ''}is as it should be: nothing was changed.`;
    return `Done: ${created.length} created, ${changed.length} changed, ${unchanged.length} unchanged. Next: npm run dev`;
  }

  private writeDocument(): void {
    if (this.command.isJson) this.surroundings.stdout.write(`${JSON.stringify(this.document, null, 2)}\n`);
  }

  /** A result; with `--json` the document is the result. */
  private tell(lines: string): void {
    const { stdout, stderr } = this.surroundings;
    (this.command.isJson ? stderr : stdout).write(`${lines}\n`);
  }

  /** Progress. */
  private say(line: string): void {
    this.surroundings.stderr.write(`${line}\n`);
  }
}

/** @throws `UsageError` for an address that the application would refuse, or to which the token would go unencrypted */
function checkOrigins(origins: Record<string, string>, allowsInsecureHttp: boolean): void {
  for (const [option, origin] of Object.entries(origins)) {
    if (allowsInsecureHttp || !isPlainRemote(new URL(origin))) continue;
    throw new UsageError(
      `${option}: expected https:// (http:// only on this machine, or with ALLOW_INSECURE_HTTP=true in the env file)`,
    );
  }
}

/** The key file that the env file names, where there is one; else the one beside it. */
function keyFileFor(envFile: EnvFile, named: string | undefined): string {
  return named !== undefined && existsSync(named) ? resolve(named) : keyFileBeside(envFile);
}

function keyFileBeside({ path }: EnvFile): string {
  return `${path}.api-key.json`;
}
