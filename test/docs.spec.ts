import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const pages = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
  ...['docs/architecture.md', 'docs/recipes.md', 'docs/api.md', 'docs/deploy.md', 'docs/errors.md'],
  ...['docs/operations.md', 'docs/sandbox.md', 'docs/security.md'],
  ...['packages/nestjs-auth/README.md', 'packages/nestjs-zitadel/README.md'],
];

const allMatches = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].map(([, found = '']) => found);

const dependenciesOf = (folder: string) => {
  const { dependencies = {}, peerDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  ) as Record<string, Record<string, string> | undefined>;
  return Object.keys({ ...dependencies, ...peerDependencies });
};

describe('the documentation', () => {
  it.each(pages)('%s names files that exist, and links to files that exist', (page) => {
    const text = readFileSync(page, 'utf8');
    const prose = text.replaceAll(/```.*?```/gs, '');
    const named = allMatches(
      prose,
      /`((?:src|test|views|packages|scripts|deploy|docs|bench|public)\/[\w./-]*)`/g,
    );
    const linked = allMatches(prose, /\]\((?!https?:)([^)#\s]+)/g).map((path) => join(dirname(page), path));
    // Made by the build.
    const missing = [...named, ...linked].filter((path) => path !== 'public/app.css' && !existsSync(path));
    expect(missing).toEqual([]);
  });

  it('says of each runtime dependency why it is there', () => {
    const architecture = readFileSync('docs/architecture.md', 'utf8');
    const [, section = ''] = architecture.split('## Dependencies\n');
    const explained = section
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .flatMap((line) => allMatches(line.split('|')[1] ?? '', /`([^`]+)`/g));
    const needed = new Set(['.', 'packages/nestjs-zitadel', 'packages/nestjs-auth'].flatMap(dependenciesOf));
    expect(explained.sort()).toEqual([...needed].sort());
  });
});
