// Part of `npm run build`: bundles each program with its dependencies into one file, and shared code into another. Without it,
// Node.js opens more than a thousand files, which takes two thirds of the start time.
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { rolldown } from 'rolldown';

await rm('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: 'build/main.js', 'api/main': 'build/api/main.js' },
  platform: 'node',
  plugins: [
    {
      // Stack traces name src/*.ts under `node --enable-source-maps`; without it Node.js opens no map.
      name: 'source maps of tsc',
      load: {
        filter: { id: { exclude: [/node_modules/, /^\0/] } },
        handler: async (id) => ({
          code: await readFile(id, 'utf8'),
          map: await readFile(`${id}.map`, 'utf8'),
        }),
      },
    },
  ],
  onLog(level, log, next) {
    // Nest loads these optional packages if they exist.
    if (log.code === 'UNRESOLVED_IMPORT' && /node_modules.@nestjs/.test(log.id ?? '')) return;
    if (level === 'warn') throw new Error(log.message);
    next(level, log);
  },
});
const { output } = await bundle.write({
  dir: 'dist',
  entryFileNames: '[name].js',
  chunkFileNames: 'shared-[hash].js',
  sourcemap: true,
  sourcemapExcludeSources: true,
  // A single character beyond Latin-1 would double the memory of a file.
  charset: 'ascii',
  comments: { legal: true, annotation: false, jsdoc: false },
});
await bundle.close();

// `@nestjs/swagger` reads the pages of Swagger UI from this package. Source maps and variants of the script are three quarters of it.
await cp('node_modules/swagger-ui-dist', 'dist/node_modules/swagger-ui-dist', {
  recursive: true,
  filter: (source) => !/\.map$|^log\.|^swagger-ui(-es-.*)?\.js/.test(basename(source)),
});

const folders = output
  .flatMap(({ moduleIds = [] }) => moduleIds)
  .flatMap((id) => /^.*node_modules[\\/](@[^\\/]+[\\/])?[^\\/]+/.exec(id)?.[0] ?? []);
const notices = await Promise.all([...new Set(folders)].map(noticeOf));
await writeFile(
  'dist/THIRD-PARTY-LICENSES.txt',
  [...new Set(notices)].sort().join(`\n${'-'.repeat(80)}\n\n`),
);

/** Name, version, license and license texts of the package in a folder. */
async function noticeOf(folder) {
  const { name, version, license, licenses } = JSON.parse(await readFile(`${folder}/package.json`, 'utf8'));
  const files = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)\b/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(`${folder}/${file}`, 'utf8')));
  const terms = license ?? licenses?.map(({ type }) => type).join(' or ') ?? 'see below';
  return [`${name} ${version}: ${terms}`, ...texts.map((text) => text.trim())].join('\n\n') + '\n';
}
