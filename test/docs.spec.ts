import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...['docs/architecture.md', 'docs/recipes.md', 'docs/api.md', 'docs/deploy.md', 'docs/errors.md'],
  ...['docs/doctor.md', 'bench/README.md'],
  ...['docs/operations.md', 'docs/sandbox.md', 'docs/security.md', 'docs/zitadel.md', 'docs/neighbours.md'],
  ...['packages/nestjs-auth/README.md', 'packages/nestjs-zitadel/README.md'],
];

const allMatches = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

/** The anchors of the headings, as GitHub generates them. */
const headingsOf = (page: string) =>
  allMatches(readFileSync(page, 'utf8'), /^#+ (.*)$/gm).map((title) =>
    title
      .toLowerCase()
      .replaceAll(/[^\p{L}\d _-]/gu, '')
      .replaceAll(' ', '-'),
  );

const dependenciesOf = (folder: string) => {
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string> | undefined>;
  return Object.keys({ ...dependencies, ...peerDependencies });
};

/** The packages that the programs import; some are devDependencies, as `dist` contains them. */
const importedPackages = () =>
  readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) =>
      allMatches(readFileSync(join('src', file), 'utf8'), /from '((?:@[\w-]+\/)?\w[\w:-]*)/g),
    )
    .filter((name) => !isBuiltin(name));

describe('the documentation', () => {
  it.each(pages)('names only existing files, links and headings in %s', (page) => {
    const text = readFileSync(page, 'utf8');
    const prose = text.replaceAll(/```.*?```/gs, '');
    const files = '(?:src|test|views|packages|scripts|deploy|docs|bench|public)/[\\w./-]*';
    // These files are made by the build or by a recipe.
    const made = ['public/app.css', ...allMatches(text, new RegExp(`(?:New file \`|> )(${files})`, 'g'))];
    const named = allMatches(prose, new RegExp(`\`(${files})\``, 'g'));
    const linked = allMatches(prose, /\]\((?!https?:)([^)\s]+)/g).map((link) => link.split('#', 2));
    const missing = [
      ...named.filter((path) => !made.includes(path) && !existsSync(path)),
      ...linked.filter(([path = '', heading]) => {
        const target = path === '' ? page : join(dirname(page), path);
        return !existsSync(target) || (heading !== undefined && !headingsOf(target).includes(heading));
      }),
    ];
    expect(missing).toEqual([]);
  });

  it('has a reason for each runtime dependency', () => {
    const architecture = readFileSync('docs/architecture.md', 'utf8');
    const [, section = ''] = architecture.split('## Dependencies\n');
    const explained = section
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => allMatches(line.split('|')[1] ?? '', /`([^`]+)`/g));
    const packages = ['nestjs-auth', 'nestjs-program', 'nestjs-zitadel', 'zitadel-setup'].map(
      (name) => `packages/${name}`,
    );
    const needed = new Set([...['.', ...packages].flatMap(dependenciesOf), ...importedPackages()]);
    expect(explained.sort()).toEqual([...needed].sort());
  });
});
