// `prepack` of the packages that can be published: builds `dist` anew, so that it holds no file of an older version, and adds the types
// for CommonJS. These are the same declarations below a `package.json` with `"type": "commonjs"`: the code has one build, which
// `require()` loads on Node.js 20.19 and later.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const types = 'dist/commonjs';

rmSync('dist', { recursive: true, force: true });
// npm puts the programs of the repository into the path.
const { status } = spawnSync('tsc', ['-b'], { stdio: 'inherit' });
if (status !== 0) throw new Error('tsc failed');
for (const file of readdirSync('dist', { recursive: true }).filter((name) => name.endsWith('.d.ts'))) {
  const copy = join(types, file);
  mkdirSync(dirname(copy), { recursive: true });
  // The maps lead from the other copy to the source.
  writeFileSync(copy, readFileSync(join('dist', file), 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, ''));
}
writeFileSync(join(types, 'package.json'), '{ "type": "commonjs" }\n');
