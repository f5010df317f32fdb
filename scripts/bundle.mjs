// `npm run build:bundle`: makes of each program and all it uses one file, and one of what both use. Node.js opens more than a
// thousand files otherwise, which is two thirds of the time a start takes.
import { rm } from 'node:fs/promises';
import process from 'node:process';
import { build } from 'esbuild';

/** Some of the libraries in the bundle are CommonJS. */
const requireForAll = `
import { createRequire as requireFrom } from 'node:module';
const require = requireFrom(import.meta.url);`;

/** Nest looks for packages that an application may have, and goes on without them. */
const optionalPackages = {
  name: 'optional packages',
  setup({ onResolve, resolve }) {
    const seen = {};
    onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (kind !== 'dynamic-import' || pluginData === seen) return undefined;
      const { errors } = await resolve(path, { kind, resolveDir, pluginData: seen });
      return errors.length > 0 ? { path, external: true } : undefined;
    });
  },
};

await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: { main: 'build/main.js', 'api/main': 'build/api/main.js' },
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: `node${process.versions.node.split('.', 1)[0]}`,
  banner: { js: requireForAll },
  // Its pages are files.
  external: ['swagger-ui-dist'],
  plugins: [optionalPackages],
  logLevel: 'warning',
});
