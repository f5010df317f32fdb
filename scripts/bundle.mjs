// `npm run build:bundle`: makes of each program and all it uses one file, and of what both use another. Node.js opens more than
// a thousand files otherwise, which is two thirds of the time a start takes.
import { rm } from 'node:fs/promises';
import { rolldown } from 'rolldown';

await rm('dist', { recursive: true, force: true });
const bundle = await rolldown({
  input: { main: 'build/main.js', 'api/main': 'build/api/main.js' },
  platform: 'node',
  // Its pages are files.
  external: ['swagger-ui-dist'],
  onLog(level, log, next) {
    // Nest looks for packages that an application may have, and goes on without them.
    if (log.code === 'UNRESOLVED_IMPORT' && /node_modules.@nestjs/.test(log.id ?? '')) return;
    if (level === 'warn') throw new Error(log.message);
    next(level, log);
  },
});
await bundle.write({
  dir: 'dist',
  entryFileNames: '[name].js',
  chunkFileNames: '[name]-[hash].js',
  // One letter beyond Latin-1 would double the memory a file takes.
  charset: 'ascii',
  comments: { legal: true, annotation: false, jsdoc: false },
});
await bundle.close();
