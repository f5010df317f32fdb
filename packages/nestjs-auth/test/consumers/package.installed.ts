import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { samplesIn, SampleProject } from '../../../../test/support/sample-project.js';
import { readmePrograms } from '../support/readme-programs.js';
import { runSamples } from '../support/readme-suite.js';

const commonJs = { module: 'commonjs', moduleResolution: 'node10' };

describe('in an empty program of Nest 11, with CommonJS and the resolution of Node.js 10', () => {
  runSamples(() => SampleProject.installed('nestjs-auth/empty-nest11', commonJs));
});

describe('in an empty program of Nest 12, with ES modules', () => {
  runSamples(() => SampleProject.installed('nestjs-auth/empty-nest12', { module: 'nodenext' }));
});

describe('the types', () => {
  // The first sample imports a provider of Auth.js, which TypeScript refuses in CommonJS with these settings.
  const samples = samplesIn('packages/nestjs-auth/README.md').map((code, index) => [`sample-${index}`, code]);
  const { guests, store } = readmePrograms;
  const files = { ...(Object.fromEntries(samples.slice(1)) as object), guests, store };

  it.each([
    ['nestjs-auth/empty-nest11', { module: 'node16' }],
    ['nestjs-auth/empty-nest11', { module: 'nodenext' }],
    ['nestjs-auth/empty-nest12', { module: 'nodenext' }],
    ['nestjs-auth/empty-nest12', { module: 'esnext', moduleResolution: 'bundler' }],
  ])(
    'are found in %s with %j',
    (consumer, settings) => {
      expect(() => SampleProject.installed(consumer, settings).compile(files)).not.toThrow();
    },
    60_000,
  );
});

describe('the tarball', () => {
  const { folder } = SampleProject.installed('nestjs-zitadel/nest11', {});
  const installed = (name: string) => join(folder, 'node_modules/@mridang', name);
  const packages = ['nestjs-auth', 'nestjs-zitadel'];

  it.each(packages)('of %s holds what a program needs, and nothing of the build', (name) => {
    const files = readdirSync(installed(name), { recursive: true }).map(String);
    expect(files).toEqual(
      expect.arrayContaining([
        ...['LICENSE', 'README.md', 'package.json', 'src/index.ts'],
        ...['dist/index.js', 'dist/index.d.ts', 'dist/commonjs/index.d.ts', 'dist/commonjs/package.json'],
        ...(name === 'nestjs-auth' ? ['MIGRATION.md', 'dist/testing/index.js'] : []),
      ]),
    );
    expect(files.filter((file) => /tsbuildinfo|^test\b|\.spec\./.test(file))).toEqual([]);
    expect(JSON.parse(readFileSync(join(installed(name), 'package.json'), 'utf8'))).toMatchObject({
      sideEffects: false,
      publishConfig: { access: 'public' },
      keywords: expect.arrayContaining(['nestjs', 'authentication']),
    });
  });

  it.each(packages)('of %s has every file that its README links to', (name) => {
    const text = readFileSync(join(installed(name), 'README.md'), 'utf8');
    const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(join(installed(name), link)))).toEqual([]);
  });

  it.each(['nestjs-auth/empty-nest11', 'nestjs-zitadel/nest12'])('can be required in %s', (consumer) => {
    const names = packages.slice(0, consumer.startsWith('nestjs-auth') ? 1 : 2);
    const paths = [...names, 'nestjs-auth/testing', ...names.map((name) => `${name}/package.json`)];
    const code = paths.map((path) => `require('@mridang/${path}');`).join('');
    const { folder: cwd } = SampleProject.installed(consumer, {});
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=commonjs', '-e', code], {
      cwd,
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  it('of nestjs-zitadel uses the copies of the program of nestjs-auth and Auth.js', () => {
    const nested = readdirSync(installed('nestjs-zitadel'), { recursive: true }).map(String);
    expect(nested.filter((file) => /node_modules.@(mridang|auth)\b/.test(file))).toEqual([]);
  });
});
