// A Jest runtime that imports test files as Node.js does. Jest's own evaluates every module anew for each file, which is most of the
// time of a short suite. Here a worker evaluates the sources once, and the modules of the tests for each file.
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import Runtime from 'jest-runtime';
import { compiledFile } from './compiled-file.mjs';

register('./hooks.mjs', import.meta.url);

/** Makes the addresses of the modules of one test file differ from those of the next. */
let runs = 0;

export default class NativeRuntime extends Runtime {
  unstable_shouldLoadAsEsm() {
    return true;
  }

  unstable_importModule(file) {
    globalThis[Symbol.for('jest globals')] = this.jestGlobals.cjsGlobals(file);
    const isolated = file.endsWith('.isolated.spec.ts') ? '&isolated' : '';
    return import(`${pathToFileURL(file)}?run=${++runs}${isolated}`);
  }

  getSourceMaps() {
    return new SourceMaps(super.getSourceMaps());
  }
}

/** Source maps for the stack traces of failed tests. */
class SourceMaps extends Map {
  get(source) {
    if (!/^file:.*\.ts(\?|$)/.test(source)) return super.get(source);
    const map = `${compiledFile(fileURLToPath(source))}.map`;
    return existsSync(map) ? map : undefined;
  }
}
