import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { defaultIds } from 'zitadel-sandbox';
import { samplesIn, SampleProject } from '../../../test/support/sample-project.js';
import { readme, runSamples } from './support/readme-suite.js';

runSamples(() => SampleProject.ofRepository());

describe('the samples of the README', () => {
  const samples = samplesIn(readme);

  it('use the client of the sandbox', () => {
    expect(samples[0]).toContain(`clientId: '${defaultIds.web}'`);
  });

  it('sign people in with twenty lines, and guard an API with ten, beside imports', () => {
    const linesOf = (code = '') => code.split('\n').filter((line) => line && !line.startsWith('import'));
    expect(linesOf(samples[0]).length).toBeLessThanOrEqual(20);
    expect(linesOf(samples[1]).length).toBeLessThanOrEqual(10);
  });
});

describe('the tables of the README', () => {
  const source = ts.createSourceFile(
    'options.ts',
    readFileSync('packages/nestjs-zitadel/src/zitadel.options.ts', 'utf8'),
    ts.ScriptTarget.Latest,
  );
  const membersOf = (name: string) =>
    source.statements
      .filter(ts.isInterfaceDeclaration)
      .filter((declared) => declared.name.text === name)
      .flatMap(({ members }) => members.map((member) => (member.name as ts.Identifier).text));
  const rowsBelow = (heading: string) => {
    const [, section = ''] = readFileSync(readme, 'utf8').split(`## ${heading}\n`);
    return [...(section.split('\n## ')[0] ?? '').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  };

  it('name every option of both modules', () => {
    const shared = membersOf('ZitadelConnectionOptions');
    expect(shared.length).toBeGreaterThan(0);
    expect(rowsBelow('Options of `ZitadelModule`').sort()).toEqual(
      [...shared, ...membersOf('ZitadelOptions')].sort(),
    );
    expect(rowsBelow('Options of `ZitadelApiModule`').sort()).toEqual(membersOf('ZitadelApiOptions').sort());
  });
});
