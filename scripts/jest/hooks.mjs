// Module hooks of Node.js (https://nodejs.org/api/module.html#customization-hooks) for the tests: TypeScript is compiled file by file,
// and the packages of this repository are read from their sources.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { compiledFile } from './compiled-file.mjs';

const root = new URL('../../', import.meta.url);
const { config } = ts.readConfigFile(fileURLToPath(new URL('tsconfig.test.json', root)), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config, ts.sys, fileURLToPath(root));

const sources = new Map(
  Object.entries(options.paths ?? {}).map(([name, [path = '']]) => [name, new URL(path, root).href]),
);
sources.set('@jest/globals', new URL('globals.mjs', import.meta.url).href);

const isTypeScript = (url = '') => /\.ts(\?|$)/.test(url);

export async function resolve(specifier, context, next) {
  const { parentURL = '' } = context;
  const source = sources.get(specifier);
  const found = source
    ? { url: source, shortCircuit: true }
    : (typeScriptOf(specifier, parentURL) ?? (await next(specifier, context)));
  const { search } = URL.canParse(parentURL) ? new URL(parentURL) : { search: '' };
  return belongsToTestFile(found.url, search) ? { ...found, url: found.url + search } : found;
}

/** An import of `./name.js` means `./name.ts`. */
function typeScriptOf(specifier, parentURL) {
  if (!/^\.\.?\/.*\.js$/.test(specifier) || !isTypeScript(parentURL)) return undefined;
  const url = new URL(specifier.replace(/js$/, 'ts'), parentURL);
  return existsSync(url) ? { url: url.href, shortCircuit: true } : undefined;
}

/** Support modules register hooks of a test file. For `*.isolated.spec.ts`, what keeps state of the process is evaluated anew as well. */
const belongsToTestFile = (url, run) =>
  run.endsWith('&isolated')
    ? isTypeScript(url) || url.includes('/node_modules/@auth/core/')
    : run !== '' && isTypeScript(url) && /\/test\//.test(url);

export async function load(url, context, next) {
  if (!isTypeScript(url)) return next(url, context);
  const path = fileURLToPath(url);
  const compiled = compiledFile(path);
  if (!existsSync(compiled)) compile(path, compiled);
  return { format: 'module', source: readFileSync(compiled, 'utf8'), shortCircuit: true };
}

function compile(path, compiled) {
  const { outputText, sourceMapText = '' } = ts.transpileModule(readFileSync(path, 'utf8'), {
    fileName: path,
    compilerOptions: {
      ...options,
      module: ts.ModuleKind.ESNext,
      sourceMap: true,
      declaration: false,
      noEmit: false,
      allowJs: false,
    },
  });
  const map = { ...JSON.parse(sourceMapText), sources: [path], sourceRoot: '' };
  write(`${compiled}.map`, JSON.stringify(map));
  write(compiled, outputText);
}

/** Other workers may compile the same file. */
function write(file, text) {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, text);
  renameSync(own, file);
}
