import { cpSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';

const copied = [
  ...['src', 'views', 'public', 'build', 'scripts', 'packages', 'docs/configuration.md'],
  ...['package.json', 'tsconfig.json', 'tsconfig.base.json', 'tailwind.config.js', '.env.example'],
];

/** Copies the repository as it is built into `folder`: its packages are its own, and what they use is that of the repository. */
export function copyRepository(folder: string): void {
  for (const path of copied) cpSync(path, join(folder, path), { recursive: true, preserveTimestamps: true });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@mridang'), { recursive: true });
  for (const name of readdirSync('node_modules').filter((entry) => entry !== '@mridang'))
    symlinkSync(resolve('node_modules', name), join(modules, name));
  for (const name of ['nestjs-auth', 'nestjs-program', 'nestjs-zitadel'])
    symlinkSync(join(folder, 'packages', name), join(modules, '@mridang', name));
}
