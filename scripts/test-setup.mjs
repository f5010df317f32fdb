// Jest's global set-up: prepares once what all suites share.
import { hash, generateKeyPair } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { bundledPackages } from './bundled-packages.mjs';

const KEYS = 16;

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = join(root, 'node_modules/.cache/tests');

export default async function setUp() {
  mkdirSync(cache, { recursive: true });
  await Promise.all([makeKeys(), bundlePackages()]);
}

/** Generates RSA keys for the sandbox: each suite would generate its own, which takes 100 ms per key. */
async function makeKeys() {
  const file = join(cache, 'keys.pem');
  process.env['ZITADEL_SANDBOX_KEYS'] = file;
  if (existsSync(file)) return;
  const options = { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
  const pairs = await Promise.all(
    Array.from({ length: KEYS }, () => promisify(generateKeyPair)('rsa', options)),
  );
  writeFileSync(`${file}.${process.pid}`, pairs.map(({ privateKey }) => privateKey).join(''), {
    mode: 0o600,
  });
  renameSync(`${file}.${process.pid}`, file);
}

/** Bundles packages: each suite loads a few files instead of more than a thousand. */
async function bundlePackages() {
  const made = ['../package-lock.json', './bundled-packages.mjs', './test-setup.mjs'];
  const version = hash('sha256', made.map((file) => readFileSync(new URL(file, import.meta.url))).join());
  const folder = join(cache, 'packages');
  const mark = join(folder, 'version');
  if (existsSync(mark) && readFileSync(mark, 'utf8') === version) return;
  rmSync(folder, { recursive: true, force: true });
  const names = new Map(
    await Promise.all(
      bundledPackages.map(async (name) => /** @type {const} */ ([name, Object.keys(await import(name))])),
    ),
  );
  const bundle = await rolldown({
    input: Object.fromEntries(bundledPackages.map((name) => [name, `facade:${name}.mjs`])),
    platform: 'node',
    external: ['swagger-ui-dist'],
    treeshake: false,
    plugins: [
      {
        // A CommonJS package exports to ES modules what Node.js detects in it.
        name: 'facades',
        resolveId: (id, importer) => {
          if (id.startsWith('facade:')) return id;
          return importer?.startsWith('facade:') ? { id: fileURLToPath(import.meta.resolve(id)) } : undefined;
        },
        load: (id) => {
          if (!id.startsWith('facade:')) return;
          const name = id.slice('facade:'.length, -'.mjs'.length);
          return `export { ${names.get(name)?.join(', ')} } from ${JSON.stringify(name)};`;
        },
      },
    ],
    onLog(level, log, next) {
      // Nest loads these optional packages if they exist.
      if (level !== 'warn' && level !== 'info' && level !== 'debug') next(level, log);
    },
  });
  await bundle.write({
    dir: folder,
    entryFileNames: '[name].mjs',
    chunkFileNames: 'shared-[hash].mjs',
    strictExecutionOrder: true,
  });
  await bundle.close();
  writeFileSync(mark, version);
}
