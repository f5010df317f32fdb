import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';

it('every core requirement has a test, and docs/requirements.md says which', () => {
  const { status, stderr } = spawnSync(process.execPath, ['scripts/requirements.mjs', '--check'], {
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

describe('a requirement', () => {
  /** What the script says of a project with these requirements and this one file of tests. */
  function said(rows: Record<string, unknown>[], spec: string) {
    const folder = mkdtempSync(join(tmpdir(), 'requirements-'));
    try {
      for (const name of ['docs', 'test', 'packages']) mkdirSync(join(folder, name));
      writeFileSync(join(folder, 'docs/requirements.json'), JSON.stringify([{ section: 'All', rows }]));
      writeFileSync(join(folder, 'test/some.spec.ts'), spec);
      const script = resolve('scripts/requirements.mjs');
      const { stderr } = spawnSync(process.execPath, [script], { cwd: folder, encoding: 'utf8' });
      return { stderr, page: readFileSync(join(folder, 'docs/requirements.md'), 'utf8') };
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const row = { id: 'AB1', text: 'Something.' };
  const title = '[AB1] does it';

  it.each([
    `it('${title}', () => {});`,
    `describe('a thing', () => {\n  it.each([1])(\n    '${title}',\n    () => {},\n  );\n});`,
    `describe.skip('a thing', () => {\n  it('other', () => {});\n});\ndescribe('b', () => {\n  it('${title}', () => {});\n});`,
    `const accept = '*/*';\nit('${title}', () => {});\nconst other = '*/*';`,
  ])('is covered by a test that runs: %j', (spec) => expect(said([row], spec).stderr).toBe(''));

  it.each([
    `it.skip('${title}', () => {});`,
    `it.todo('${title}');`,
    `xit('${title}', () => {});`,
    `it.skip.each([1])(\n  '${title}', () => {});`,
    `// it('${title}', () => {});`,
    `it('other', () => {});\n  // it('${title}', () => {});`,
    `/*\nit('${title}', () => {});\n*/`,
    `describe.skip('a thing', () => {\n  it('${title}', () => {});\n});`,
    `xdescribe('a thing', () => {\n  it('${title}', () => {});\n});`,
  ])('is not covered by %j', (spec) => expect(said([row], spec).stderr.trim()).toBe('AB1 has no test'));

  it('that comes later is named at the top of the page, in part or whole', () => {
    const rows = [
      { id: 'AB1', issue: 8, text: 'Something.' },
      { id: 'AB2', text: 'Now.', later: { issue: 9, text: 'And then.' } },
    ];
    const { page, stderr } = said(rows, `it('${title.replace('AB1', 'AB2')}', () => {});`);
    expect(stderr).toBe('');
    const [top] = page.split('\n## ');
    expect(top).toContain('- AB1 (issue 8): Something.\n- AB2, in part (issue 9): And then.');
  });
});
