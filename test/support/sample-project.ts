import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runProgram, type RunningProgram } from './run-program.js';

/** The TypeScript samples of a README, in their order. */
export const samplesIn = (readme: string): string[] =>
  [...readFileSync(readme, 'utf8').matchAll(/```ts\n(.*?)```/gs)].map(([, code = '']) => code);

/** A program of samples: compiled in a folder with packages of its own, and run there. */
export class SampleProject {
  private readonly programs: RunningProgram[] = [];

  private constructor(
    readonly folder: string,
    private readonly settings: { compilerOptions: object; extends?: string },
    private readonly isTemporary: boolean,
  ) {}

  /** With the packages of this repository. */
  static ofRepository(): SampleProject {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'samples-')));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
    const compilerOptions = { typeRoots: [resolve('node_modules/@types')] };
    return new SampleProject(folder, { extends: resolve('tsconfig.base.json'), compilerOptions }, true);
  }

  /**
   * With the packages that `npm run test:packages` has installed.
   *
   * @param consumer as in `nestjs-auth/empty-nest11`
   * @param compilerOptions beside those that every program of Nest has
   */
  static installed(consumer: string, compilerOptions: object): SampleProject {
    const { CONSUMERS: consumers } = process.env;
    if (consumers === undefined) throw new Error('Run `npm run test:packages`');
    const common = { target: 'ES2022', strict: true, skipLibCheck: true, types: ['node'] };
    const decorators = { experimentalDecorators: true, emitDecoratorMetadata: true };
    const settings = { compilerOptions: { ...common, ...decorators, ...compilerOptions } };
    return new SampleProject(join(consumers, consumer), settings, false);
  }

  /**
   * Compiles TypeScript files, by their names without `.ts`.
   *
   * @throws with what the compiler says
   */
  compile(files: Record<string, string>) {
    const source = join(this.folder, 'src');
    rmSync(source, { recursive: true, force: true });
    mkdirSync(source);
    for (const [name, code] of Object.entries(files)) writeFileSync(join(source, `${name}.ts`), code);
    const settings = {
      ...this.settings,
      compilerOptions: { ...this.settings.compilerOptions, rootDir: 'src', outDir: 'dist' },
      include: ['src'],
    };
    writeFileSync(join(this.folder, 'tsconfig.json'), JSON.stringify(settings));
    const compiler = join(this.folder, 'node_modules/.bin/tsc');
    const { stdout, status } = spawnSync(compiler, ['-p', this.folder], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`The samples do not compile:\n${stdout}`);
  }

  /** Runs what was compiled. */
  run(file: string, env: Record<string, string> = {}): RunningProgram {
    const program = runProgram(process.execPath, [`dist/${file}.js`], env, this.folder);
    this.programs.push(program);
    return program;
  }

  /** Ends the programs that run. */
  async stop() {
    await Promise.all(this.programs.splice(0).map((program) => program.stop()));
  }

  /** Ends the programs, and removes a folder that was made for them. */
  async remove() {
    await this.stop();
    if (this.isTemporary) rmSync(this.folder, { recursive: true });
  }
}
